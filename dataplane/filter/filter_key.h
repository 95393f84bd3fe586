// FilterKey: what a filter looks at in a packet, laid out for rte_acl: the first octet by itself,
// then groups of four, in network byte order.
#pragma once

#include <cstddef>
#include <cstdint>

#include "proto/wire/cursor.h"
#include "proto/wire/ip/ip.h"

namespace culvert::dataplane {

struct FilterKey {
  // What `known` says of a packet.
  static constexpr uint8_t kPorts = 1;     // TCP, UDP, SCTP: both ports
  static constexpr uint8_t kIcmpType = 2;  // ICMP: the type, as destination port
  static constexpr uint8_t kTcpFlags = 4;

  uint8_t protocol;
  uint8_t unused[3];
  uint8_t ports[4];  // source, destination
  uint8_t known;
  uint8_t tcp_flags;
  uint8_t zero[2];
  uint8_t addresses[32];  // source, destination: 8 octets, or all with IPv6
};
static_assert(sizeof(FilterKey) == 44 && offsetof(FilterKey, ports) == 4 &&
              offsetof(FilterKey, known) == 8 && offsetof(FilterKey, addresses) == 12);

// MakeIpv4Key takes a packet from its header on, and what was parsed of that. False: the packet
// hides from filters what they ask for (RFC 1858 s3, RFC 3128), and no filter permits it.
[[nodiscard]] bool MakeIpv4Key(wire::Octets packet, const wire::ip::Ipv4Header& header,
                               FilterKey* key);
// MakeIpv6Key takes a packet from its header on, which has been found sound; false as well when its
// extension headers are not.
[[nodiscard]] bool MakeIpv6Key(wire::Octets packet, FilterKey* key);

}  // namespace culvert::dataplane
