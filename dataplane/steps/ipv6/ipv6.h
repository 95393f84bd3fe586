// What the IPv6 steps share. The addresses of a packet stay in the packet: the mbuf begins at the
// IPv6 header. Packet::ip has its length, class, hop limit and next header in IPv4's places.
#pragma once

#include "dataplane/steps/steps.h"
#include "proto/wire/ip/ip6.h"

namespace culvert::dataplane {

inline const uint8_t* Ipv6Source(Packet& packet) { return packet.data() + 8; }
inline const uint8_t* Ipv6Destination(Packet& packet) { return packet.data() + 24; }

inline DropReason ReasonOf(wire::ip6::Error error) {
  switch (error) {
    case wire::ip6::Error::kTruncated:
      return DropReason::ipv6_truncated;
    case wire::ip6::Error::kBadVersion:
      return DropReason::ipv6_version;
    case wire::ip6::Error::kBadPayloadLen:
      return DropReason::ipv6_payload_len;
    case wire::ip6::Error::kBadExtension:
      break;
  }
  return DropReason::ipv6_extension;
}

// Whether a packet may not leave its link: RFC 4291 s2.5.6, s2.7.
inline bool IsForTheLink(const wire::ip6::Header& header) {
  return wire::ip6::IsMulticast(header.destination) || wire::ip6::IsLinkLocal(header.destination) ||
         wire::ip6::IsLinkLocal(header.source) || wire::ip6::IsUnspecified(header.source);
}

// BeginIpv6 has the mbuf begin at the header, which is at packet->offset, and end with the packet.
inline void BeginIpv6(Packet* packet, const wire::ip6::Header& header) {
  packet->ip = {};
  packet->ip.header_len = wire::ip6::kHeaderLen;
  packet->ip.tos = header.traffic_class;
  packet->ip.total_len = static_cast<uint16_t>(header.TotalLen());
  packet->ip.fragment = 0x4000;  // routers do not fragment (RFC 8200 s5)
  packet->ip.ttl = header.hop_limit;
  packet->ip.protocol = header.next_header;
  packet->Skip(packet->offset);
  packet->Cut(packet->ip.total_len);
}

}  // namespace culvert::dataplane
