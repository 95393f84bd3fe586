// Link is the router's end of one call's IPv6 link, from IPV6CP's opening to its end: router
// advertisements, neighbour discovery, echo, DHCPv6. Sans-IO: packets and the time in, packets out.
// One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "controlplane/ipv6/link_packet.h"
#include "controlplane/ipv6/link_settings.h"

namespace culvert::ipv6 {

// LinkCounters: what clients sent; each is a counter of the process.
struct LinkCounters {
  uint64_t advertisements = 0;  // sent
  uint64_t dhcp_replies = 0;    // sent
  uint64_t malformed = 0;       // not understood
  uint64_t ignored = 0;         // not for us, or not to be answered
};

class Link {
 public:
  // `counters` outlives the link. The first advertisement is due at once.
  Link(std::shared_ptr<const LinkSettings> settings, LinkAssignment assignment, uint64_t gateway_id,
       uint64_t client_id, LinkCounters* counters, uint64_t now_ms);

  // OnPacket and OnTimer give the packets to send, from the IPv6 header on.
  using Packets = std::vector<std::vector<uint8_t>>;
  [[nodiscard]] Packets OnPacket(wire::Octets packet, uint64_t now_ms);
  [[nodiscard]] Packets OnTimer(uint64_t now_ms);
  [[nodiscard]] uint64_t deadline_ms() const;

  // delegates: the client has its delegated prefix, so that it is to be routed to it.
  [[nodiscard]] bool delegates() const { return delegated_until_ms_.has_value(); }

 private:
  void OnIcmp(const LinkPacket& packet, uint64_t now_ms, Packets* out);
  void OnRouterSolicitation(const LinkPacket& packet, uint64_t now_ms, Packets* out);
  void OnNeighbourSolicitation(const LinkPacket& packet, Packets* out);
  void OnEchoRequest(const LinkPacket& packet, Packets* out);
  void OnDhcp(const LinkPacket& packet, uint64_t now_ms, Packets* out);
  [[nodiscard]] std::vector<uint8_t> Advertisement(const Address& destination) const;
  [[nodiscard]] bool IsOurs(const Address& address) const;

  const std::shared_ptr<const LinkSettings> settings_;
  const LinkAssignment assignment_;
  const Address gateway_;
  const uint64_t client_id_;
  LinkCounters* const counters_;

  uint64_t advertise_ms_;                // the next one to all
  uint32_t num_initial_ = 0;             // sent in quick succession (RFC 4861 s6.2.4)
  std::optional<uint64_t> answered_ms_;  // the last solicitation
  std::optional<uint64_t> delegated_until_ms_;
};

}  // namespace culvert::ipv6
