// Verdict: what a step returns, that is, where its packet goes. A packet goes to exactly one place,
// so a step can neither leak nor forget one.
#pragma once

#include <cstdint>

#include "dataplane/packet/drop_reason.h"

namespace culvert::dataplane {

// Stage: a list of steps, or a burst step. Packets move down this list; only what a step spawns
// may begin further up.
enum class Stage : uint8_t {
  kInput,     // Ethernet frame from a port
  kGre,       // GRE packet to us, put together from fragments
  kInput6,    // Ethernet frame with IPv6 from a port
  kUpstream,  // GRE packet of a call
  kFrame,     // PPP frame of a call, in order
  kDecrypt,   // burst: encrypted PPP frame
  kInner,     // PPP frame in clear
  kInner6,    // the same, IPv6
  // Inner packet of a call with a filter (burst), and what that permits.
  kFilterUpstream,
  kUpstreamPermitted,
  kUpstreamPermitted6,
  kKernel,       // IPv4 packet out of the TUN
  kKernel6,      // IPv6 packet out of the TUN
  kRoute,        // burst: IPv4 packet, mbuf data starts at its header
  kRoute6,       // IPv6 packet, mbuf data starts at its header
  kTransit,      // leaves by a port as it is
  kTransit6,     // the same, IPv6
  kDownstream,   // leaves to a client
  kDownstream6,  // the same, IPv6
  // Packet to a client with a filter (burst), and what that permits.
  kFilterDownstream,
  kDownstreamPermitted,
  kDownstreamPermitted6,
  kEncrypt,   // burst: IPv4 packet to a client that encrypts
  kFrameOut,  // PPP information to a client
  kControl,   // PPP control frame to a client
  kTunnel,    // GRE payload to a client
  kEthernet,  // IPv4 packet with a next hop
  kCount,
};
constexpr unsigned kNumStages = static_cast<unsigned>(Stage::kCount);

class Verdict {
 public:
  enum class Kind : uint8_t {
    kNext,         // the stage's next step
    kGoTo,         // first step of a later stage
    kHold,         // stays with its keeper, which will spawn or free it
    kDrop,         // end, counted under its reason
    kConsume,      // end, it has done its work (an acknowledgement)
    kPuntPort,     // the TAP of the port it came from
    kPuntClients,  // the TUN
    kPuntFrame,    // the control plane
    kHandOver,     // another worker, which begins this stage anew
    kTransmit,     // a port
  };

  constexpr Verdict() = default;  // Next()
  static constexpr Verdict Next() { return {Kind::kNext, 0}; }
  static constexpr Verdict GoTo(Stage s) { return {Kind::kGoTo, static_cast<uint16_t>(s)}; }
  static constexpr Verdict Hold() { return {Kind::kHold, 0}; }
  static constexpr Verdict Drop(DropReason r) { return {Kind::kDrop, static_cast<uint16_t>(r)}; }
  static constexpr Verdict Consume() { return {Kind::kConsume, 0}; }
  static constexpr Verdict PuntPort() { return {Kind::kPuntPort, 0}; }
  static constexpr Verdict PuntClients() { return {Kind::kPuntClients, 0}; }
  static constexpr Verdict PuntFrame() { return {Kind::kPuntFrame, 0}; }
  static constexpr Verdict HandOver(uint16_t worker) { return {Kind::kHandOver, worker}; }
  static constexpr Verdict Transmit(uint16_t port) { return {Kind::kTransmit, port}; }

  [[nodiscard]] constexpr Kind kind() const { return kind_; }
  [[nodiscard]] constexpr bool IsNext() const { return kind_ == Kind::kNext; }
  [[nodiscard]] constexpr Stage stage() const { return static_cast<Stage>(value_); }
  [[nodiscard]] constexpr DropReason reason() const { return static_cast<DropReason>(value_); }
  // value is the worker or the port.
  [[nodiscard]] constexpr uint16_t value() const { return value_; }

 private:
  constexpr Verdict(Kind kind, uint16_t value) : kind_(kind), value_(value) {}
  Kind kind_ = Kind::kNext;
  uint16_t value_ = 0;
};

}  // namespace culvert::dataplane
