// IPv6 packets between a call's client and its router: the header and the checksum around
// ICMPv6 (RFC 4443 s2.3) and UDP (RFC 8200 s8.1). No fragments, no extension headers.
#pragma once

#include <cstdint>
#include <tl/expected.hpp>
#include <vector>

#include "proto/wire/cursor.h"
#include "proto/wire/ip/ip6.h"

namespace culvert::ipv6 {

using wire::ip6::Address;

constexpr uint8_t kLinkHopLimit = 255;  // RFC 4861 s3.1: nobody has forwarded it
constexpr uint16_t kDhcpClientPort = 546;
constexpr uint16_t kDhcpServerPort = 547;

// LinkLocal is fe80::/64 with an interface identifier.
[[nodiscard]] Address LinkLocal(uint64_t interface_id);
// Groups of RFC 4291 s2.7.1 and RFC 8415 s7.1.
[[nodiscard]] Address AllNodes();
[[nodiscard]] Address AllRouters();
[[nodiscard]] Address AllDhcpServers();
// SolicitedNode is the group of an address, in which it is asked for.
[[nodiscard]] Address SolicitedNode(const Address& address);

struct LinkPacket {
  Address source{}, destination{};
  uint8_t hop_limit = 0;
  uint8_t protocol = 0;      // kIcmp or kUdp
  uint16_t source_port = 0;  // UDP
  uint16_t destination_port = 0;
  wire::Octets payload;  // ICMP from its type on, UDP without its header; borrowed
};

enum class LinkError : uint8_t { kBadHeader, kBadProtocol, kTruncated, kBadChecksum };

// ParseLinkPacket takes what follows the PPP protocol field. Errors, in the order of the checks:
// kBadHeader (IPv6), kBadProtocol, kTruncated (ICMP below 4 octets, UDP below its length),
// kBadChecksum (an absent one of UDP too).
[[nodiscard]] tl::expected<LinkPacket, LinkError> ParseLinkPacket(wire::Octets in);

// EmitIcmp fills in the checksum at the third octet of `message`, which has at least four.
[[nodiscard]] std::vector<uint8_t> EmitIcmp(const Address& source, const Address& destination,
                                            std::vector<uint8_t> message);
// EmitDhcp: a UDP packet of the DHCPv6 server.
[[nodiscard]] std::vector<uint8_t> EmitDhcp(const Address& source, const Address& destination,
                                            wire::Octets message);

}  // namespace culvert::ipv6
