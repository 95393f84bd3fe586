// MppePeer: the client's end of an encrypted call, frame by frame as the peers' own code words it:
// Linux's ppp_mppe.c, or RFC 3078 as it stands. For tests.
#pragma once

#include <memory>
#include <optional>

#include "dataplane/datapath.h"
#include "dataplane/mppe/rc4.h"
#include "dataplane/mppe/session_key.h"
#include "dataplane/rig/packets.h"

namespace culvert::dataplane {

class MppePeer {
 public:
  enum class Style : uint8_t { kLinux, kRfc };
  explicit MppePeer(const MppeKeySpec& spec, Style style = Style::kLinux);

  // Send gives the PPP frame, from FF 03 on, of a packet inside.
  Bytes Send(const Bytes& ipv4);
  // Skip sends packets that get lost.
  void Skip(unsigned packets);
  // FlushNext: a Reset-Request came.
  void FlushNext() { flush_ = true; }

  // Receive gives the packet of a PPP frame. nullopt: lost; wants_reset() then says whether the
  // peer would ask for a reset. What is decrypted wrongly comes as it is.
  std::optional<Bytes> Receive(const Bytes& ppp);
  [[nodiscard]] bool wants_reset() const { return discards_; }

 private:
  void ChangeKey();
  void Schedule();

  MppeKeySpec spec_;
  Style style_;
  std::unique_ptr<mppe::Sha1> sha1_;
  mppe::Key key_;
  mppe::Rc4Table table_{};
  uint16_t count_ = 0;  // of the next frame
  bool flush_ = false;
  bool discards_ = false;
};

}  // namespace culvert::dataplane
