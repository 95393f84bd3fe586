#include <cstring>

#include "dataplane/steps/ipv6/ipv6.h"

namespace culvert::dataplane {
namespace {

constexpr bool IsExtension(uint8_t protocol) {
  return protocol == wire::ip6::kHopByHop || protocol == wire::ip6::kRouting ||
         protocol == wire::ip6::kDestinationOptions;
}

}  // namespace

// RFC 4291 s2.5, RFC 5095 for routing headers. The walk along the extension headers is for packets
// that have any before a routing header may come.
Verdict Martian6Step(Packet& packet, WorkerContext& context) {
  const auto header = wire::ip6::Parse({packet.data(), packet.data_len()});
  if (!header) {
    return Verdict::Drop(ReasonOf(header.error()));
  }
  if (wire::ip6::IsMartianSource(header->source)) {
    return Verdict::Drop(DropReason::martian_source);
  }
  if (wire::ip6::IsMartianDestination(header->destination)) {
    return Verdict::Drop(DropReason::martian_destination);
  }
  if (!IsExtension(header->next_header)) {
    return Verdict::Next();
  }
  const auto upper = wire::ip6::FindUpper(*header, {packet.data(), packet.ip.total_len});
  if (!upper) {
    return Verdict::Drop(ReasonOf(upper.error()));
  }
  return upper->has_routing_type0 ? Verdict::Drop(DropReason::ipv6_source_route) : Verdict::Next();
}

}  // namespace culvert::dataplane
