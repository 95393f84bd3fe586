#include "controlplane/ipv6/discovery.h"

#include <algorithm>

#include "controlplane/ipv6/octet_writer.h"

namespace culvert::ipv6 {
namespace {

constexpr uint8_t kSourceLinkAddress = 1;
constexpr uint8_t kPrefixInformation = 3;
constexpr uint8_t kMtu = 5;
constexpr uint8_t kDnsServers = 25;
constexpr size_t kMaxDns = 8;
constexpr uint8_t kHopLimit = 64;

// CheckOptions walks all of them; what they say is of no use on a link without addresses, but a
// solicitation from nowhere must have no source link-layer address.
tl::expected<void, DiscoveryError> CheckOptions(wire::Octets options, bool from_nowhere) {
  wire::Reader in(options);
  while (in.remaining() > 0) {
    const uint8_t type = in.U8();
    const uint8_t len = in.U8();
    if (!in.ok() || len == 0) {
      return tl::unexpected(DiscoveryError::kBadOption);
    }
    in.Skip(len * size_t{8} - 2);
    if (!in.ok()) {
      return tl::unexpected(DiscoveryError::kBadOption);
    }
    if (from_nowhere && type == kSourceLinkAddress) {
      return tl::unexpected(DiscoveryError::kBadAddress);
    }
  }
  return {};
}

tl::expected<void, DiscoveryError> CheckMessage(const LinkPacket& packet, size_t len) {
  if (packet.hop_limit != kLinkHopLimit) {
    return tl::unexpected(DiscoveryError::kForwarded);
  }
  if (packet.payload.size() < len) {
    return tl::unexpected(DiscoveryError::kTruncated);
  }
  if (packet.payload[1] != 0) {
    return tl::unexpected(DiscoveryError::kBadCode);
  }
  return CheckOptions(packet.payload.subspan(len), wire::ip6::IsUnspecified(packet.source));
}

void Add(const RouterAdvertisement::PrefixInformation& prefix, OctetWriter* out) {
  out->U8(kPrefixInformation);
  out->U8(4);
  out->U8(prefix.prefix.length);
  out->U8(static_cast<uint8_t>((prefix.on_link ? 0x80 : 0) | (prefix.autonomous ? 0x40 : 0)));
  out->U32(prefix.valid_s);
  out->U32(prefix.preferred_s);
  out->U32(0);
  out->Bytes(prefix.prefix.address);
}

}  // namespace

tl::expected<void, DiscoveryError> CheckRouterSolicitation(const LinkPacket& packet) {
  return CheckMessage(packet, 8);
}

tl::expected<Address, DiscoveryError> ParseNeighbourSolicitation(const LinkPacket& packet) {
  constexpr size_t kLen = 24;
  if (const auto checked = CheckMessage(packet, kLen); !checked) {
    return tl::unexpected(checked.error());
  }
  Address target{};
  std::copy_n(packet.payload.begin() + 8, target.size(), target.begin());
  const bool to_its_group = packet.destination == SolicitedNode(target);
  if (wire::ip6::IsMulticast(target) ||
      (wire::ip6::IsUnspecified(packet.source) && !to_its_group)) {
    return tl::unexpected(DiscoveryError::kBadAddress);
  }
  return target;
}

std::vector<uint8_t> Emit(const RouterAdvertisement& advertisement) {
  OctetWriter out;
  out.U8(kRouterAdvertisement);
  out.U8(0);
  out.U16(0);
  out.U8(kHopLimit);
  out.U8(
      static_cast<uint8_t>((advertisement.managed ? 0x80 : 0) | (advertisement.other ? 0x40 : 0)));
  out.U16(advertisement.router_lifetime_s);
  out.U32(0);  // reachable time, retransmission timer: not said
  out.U32(0);
  if (advertisement.mtu) {
    out.U8(kMtu);
    out.U8(1);
    out.U16(0);
    out.U32(*advertisement.mtu);
  }
  if (advertisement.prefix) {
    Add(*advertisement.prefix, &out);
  }
  const size_t num_dns = std::min(advertisement.dns.size(), kMaxDns);
  if (num_dns > 0) {
    out.U8(kDnsServers);
    out.U8(static_cast<uint8_t>(1 + 2 * num_dns));
    out.U16(0);
    out.U32(advertisement.dns_lifetime_s);
    for (size_t i = 0; i < num_dns; ++i) {
      out.Bytes(advertisement.dns[i]);
    }
  }
  return out.Take();
}

std::vector<uint8_t> EmitNeighbourAdvertisement(const Address& target, bool solicited) {
  OctetWriter out;
  out.U8(kNeighbourAdvertisement);
  out.U8(0);
  out.U16(0);
  constexpr uint32_t kRouter = 0x80000000;
  constexpr uint32_t kSolicited = 0x40000000;
  constexpr uint32_t kOverride = 0x20000000;
  out.U32(kRouter | (solicited ? kSolicited : 0) | kOverride);
  out.Bytes(target);
  return out.Take();
}

}  // namespace culvert::ipv6
