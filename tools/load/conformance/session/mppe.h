// MppeChain: one direction of MPPE (RFC 3078), one packet at a time, with room to misbehave.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/mppe/rc4.h"
#include "dataplane/mppe/session_key.h"

namespace culvert::load::conformance {

class MppeChain {
 public:
  // `bits` 40, 56 or 128; `start_key` 16 octets for 128, else 8.
  MppeChain(std::span<const uint8_t> start_key, uint16_t bits, bool stateless);

  // Encrypt gives header and ciphertext of `inner` (protocol field and information) and goes on.
  // `flags`: bits of the header besides the count.
  [[nodiscard]] std::vector<uint8_t> Encrypt(std::span<const uint8_t> inner);
  // Skip goes on as if `count` packets had been sent.
  void Skip(unsigned count);
  // Flush: the next packet starts the keystream anew and says so (stateful, RFC 3078 s4.3).
  void Flush() { flush_ = true; }
  // Decrypt gives the inner octets of what follows protocol 00fd; nullopt when it is not for us:
  // not encrypted, or (stateful) not the packet that is next.
  [[nodiscard]] std::optional<std::vector<uint8_t>> Decrypt(std::span<const uint8_t> packet);

  [[nodiscard]] uint16_t next_count() const { return count_; }
  std::vector<uint16_t> headers;  // that Decrypt has seen

 private:
  void Change();

  const uint16_t bits_;
  const bool stateless_;
  std::unique_ptr<dataplane::mppe::Sha1> sha1_;
  dataplane::mppe::Key start_key_{}, key_{};
  std::optional<dataplane::mppe::Rc4> rc4_;
  uint16_t count_ = 0;  // of the next packet
  bool flush_ = false;
};

}  // namespace culvert::load::conformance
