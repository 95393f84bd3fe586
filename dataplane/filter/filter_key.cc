#include "dataplane/filter/filter_key.h"

#include <cstring>

#include "proto/wire/byte_order.h"
#include "proto/wire/ip/ip6.h"

namespace culvert::dataplane {
namespace {

constexpr uint8_t kIcmp = 1;
constexpr uint8_t kTcp = 6;
constexpr uint8_t kUdp = 17;
constexpr uint8_t kIcmpv6 = 58;
constexpr uint8_t kSctp = 132;
constexpr size_t kTcpFlagsAt = 13;
// RFC 3128: what begins here may overwrite the flags of the fragment before it.
constexpr uint16_t kMinTcpFragmentOffset = 16;

void Begin(FilterKey* key, uint8_t protocol) {
  std::memset(key, 0, offsetof(FilterKey, addresses));
  key->protocol = protocol;
}

// FillUpper takes the upper layer's octets; `fragment_offset` is in octets.
bool FillUpper(wire::Octets upper, bool is_fragment, uint16_t fragment_offset, FilterKey* key) {
  const bool is_tcp = key->protocol == kTcp;
  if (fragment_offset != 0) {
    return !is_tcp || fragment_offset >= kMinTcpFragmentOffset;
  }
  if (key->protocol == kIcmp || key->protocol == kIcmpv6) {
    if (!upper.empty()) {
      key->ports[3] = upper[0];
      key->known = FilterKey::kIcmpType;
    }
    return true;
  }
  const bool has_ports = is_tcp || key->protocol == kUdp || key->protocol == kSctp;
  if (has_ports && upper.size() >= sizeof(key->ports)) {
    std::memcpy(key->ports, upper.data(), sizeof(key->ports));
    key->known = FilterKey::kPorts;
  }
  if (is_tcp && upper.size() > kTcpFlagsAt) {
    key->tcp_flags = upper[kTcpFlagsAt];
    key->known |= FilterKey::kTcpFlags;
    return true;
  }
  return !is_tcp || !is_fragment;  // RFC 1858 s3.2: a first fragment without the flags
}

}  // namespace

bool MakeIpv4Key(wire::Octets packet, const wire::ip::Ipv4Header& header, FilterKey* key) {
  Begin(key, header.protocol);
  std::memcpy(key->addresses, &packet[12], 8);
  constexpr unsigned kOffsetMask = 0x1fff;
  return FillUpper(packet.subspan(header.header_len), header.IsFragment(),
                   static_cast<uint16_t>((header.fragment & kOffsetMask) * 8), key);
}

bool MakeIpv6Key(wire::Octets packet, FilterKey* key) {
  constexpr size_t kNextHeaderAt = 6;
  Begin(key, packet[kNextHeaderAt]);
  std::memcpy(key->addresses, &packet[8], 32);
  const uint8_t next = packet[kNextHeaderAt];
  if (next == kTcp || next == kUdp || next == kIcmpv6) {  // nearly all
    return FillUpper(packet.subspan(wire::ip6::kHeaderLen), false, 0, key);
  }
  const auto header = wire::ip6::Parse(packet);
  const auto upper =
      header ? wire::ip6::FindUpper(*header, packet) : tl::unexpected(wire::ip6::Error::kTruncated);
  if (!upper) {
    return false;
  }
  key->protocol = upper->protocol;
  return FillUpper(packet.subspan(upper->offset), upper->is_fragment, upper->fragment_offset, key);
}

}  // namespace culvert::dataplane
