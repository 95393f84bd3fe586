// Tunnel: the GRE side of a session (RFC 2637 s4): a raw socket and the numbers of one call.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proto/wire/gre.h"

namespace culvert::load::conformance {

using wire::Octets;

// GrePacket as the server sent it.
struct GrePacket {
  wire::gre::Header header;
  std::vector<uint8_t> payload;  // cut to payload_len
  std::vector<uint8_t> octets;   // GRE header and all that follows
};

class Tunnel {
 public:
  Tunnel() = default;
  ~Tunnel() { Close(); }
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  // CanOpen: an empty string when this process may use raw sockets, else one line.
  [[nodiscard]] static std::string CanOpen();
  // Open takes packets from `server` to `source` with `call_id` only. Host order.
  [[nodiscard]] std::string Open(uint32_t source, uint32_t server, uint16_t call_id);
  void Close();

  // Send gives `frame` the next sequence number, and an acknowledgement when there is something
  // to acknowledge.
  void Send(Octets frame);
  void SendAt(uint32_t sequence, Octets frame);
  // SendWith: any first word, protocol and payload length; the sequence number stands behind.
  void SendWith(uint16_t word, Octets frame, uint16_t protocol = wire::gre::kProtocolPpp,
                std::optional<uint16_t> payload_len = std::nullopt);
  void SendRaw(Octets gre_packet) const;
  // Receive takes one packet of those that are there. A packet of this call with a wrong header
  // sets problem().
  [[nodiscard]] std::optional<GrePacket> Receive();

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] const std::string& problem() const { return problem_; }

  uint16_t call_id = 0;       // ours: what the server sends with
  uint16_t peer_call_id = 0;  // the server's: what we send with
  uint32_t next_sequence = 0;
  bool sends_acks = true;
  std::optional<uint32_t> highest_received;
  std::optional<uint32_t> first_received;
  std::optional<uint32_t> highest_ack;  // of the server
  unsigned num_disordered = 0;          // packets of the server that do not follow the last one

 private:
  int fd_ = -1;
  std::string problem_;
};

}  // namespace culvert::load::conformance
