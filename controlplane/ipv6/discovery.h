// Neighbour discovery as a router on a point-to-point link needs it: RFC 4861, with the MTU, and
// with the name servers of RFC 8106. Link-layer addresses do not exist here.
#pragma once

#include <cstdint>
#include <optional>
#include <tl/expected.hpp>
#include <vector>

#include "controlplane/ipv6/link_packet.h"
#include "proto/config/address/address6.h"

namespace culvert::ipv6 {

enum IcmpType : uint8_t {
  kEchoRequest = 128,
  kEchoReply = 129,
  kRouterSolicitation = 133,
  kRouterAdvertisement = 134,
  kNeighbourSolicitation = 135,
  kNeighbourAdvertisement = 136,
};

enum class DiscoveryError : uint8_t {
  kForwarded,  // hop limit is not 255
  kBadCode,
  kTruncated,
  kBadOption,   // an option's length is 0 or goes beyond the message
  kBadAddress,  // RFC 4861 s6.1.1, s7.1.1
};

// CheckSolicitation is RFC 4861 s6.1.1 for router solicitations.
[[nodiscard]] tl::expected<void, DiscoveryError> CheckRouterSolicitation(const LinkPacket& packet);
// ParseNeighbourSolicitation gives the address that is asked for (RFC 4861 s7.1.1).
[[nodiscard]] tl::expected<Address, DiscoveryError> ParseNeighbourSolicitation(
    const LinkPacket& packet);

struct RouterAdvertisement {
  bool managed = false;  // addresses by DHCPv6
  bool other = false;    // name servers and the like by DHCPv6
  uint16_t router_lifetime_s = 0;
  struct PrefixInformation {
    config::Ipv6Prefix prefix;
    bool on_link = false, autonomous = false;
    uint32_t valid_s = 0, preferred_s = 0;
  };
  std::optional<PrefixInformation> prefix;
  std::optional<uint32_t> mtu;
  std::vector<Address> dns;  // at most eight
  uint32_t dns_lifetime_s = 0;
};
// Emit gives ICMPv6 messages from the type on, without checksum.
[[nodiscard]] std::vector<uint8_t> Emit(const RouterAdvertisement& advertisement);
// EmitNeighbourAdvertisement: of a router. `solicited`: the question came from an address.
[[nodiscard]] std::vector<uint8_t> EmitNeighbourAdvertisement(const Address& target,
                                                              bool solicited);

}  // namespace culvert::ipv6
