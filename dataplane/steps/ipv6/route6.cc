#include <rte_prefetch.h>

#include "dataplane/steps/ipv6/icmp6_error.h"
#include "dataplane/steps/ipv6/ipv6.h"

namespace culvert::dataplane {
namespace {

// As in route: to the kernel by the TUN or by the port's TAP.
Verdict Local(Packet* packet) {
  if (packet->call != nullptr) {
    return Verdict::PuntClients();
  }
  if (packet->from_kernel || packet->Prepend(kEthernetHeaderLen) == nullptr) {
    return Verdict::Drop(DropReason::no_route);
  }
  return Verdict::PuntPort();
}

Verdict ToCall(Packet* packet, uint32_t index, const WorkerContext& context) {
  const Call& call = context.calls->At(index);
  rte_prefetch0(&call);
  rte_prefetch0(&call.more());
  packet->call_index = index;
  packet->call = nullptr;
  packet->downstream = true;
  return Verdict::GoTo(Stage::kDownstream6);
}

}  // namespace

// Longest prefix match (RFC 4291 s2.3, RFC 7608); the clients' /64s are in a table of their own.
Verdict Route6Step(Packet& packet, WorkerContext& context) {
  const NextHop hop = context.fib6->Lookup(Ipv6Destination(packet));
  packet.next_hop = hop.value();
  switch (hop.kind()) {
    case NextHop::Kind::kClients: {
      const uint32_t index = context.clients6->Find(NumberOf(Ipv6Destination(packet)));
      if (index != PrefixTable::kNone) {
        return ToCall(&packet, index, context);
      }
      SpawnIcmp6Error(packet, wire::icmp::kAddressUnreachableV6, &context);
      return Verdict::Drop(DropReason::no_client);
    }
    case NextHop::Kind::kCall:
      return ToCall(&packet, hop.index(), context);
    case NextHop::Kind::kAdjacency:
    case NextHop::Kind::kOnLink:
      return Verdict::GoTo(Stage::kTransit6);
    case NextHop::Kind::kLocal:
      return Local(&packet);
    case NextHop::Kind::kBlackhole:
      return Verdict::Drop(DropReason::blackhole);
    case NextHop::Kind::kNone:
      break;
  }
  SpawnIcmp6Error(packet, wire::icmp::kNoRouteV6, &context);
  return Verdict::Drop(DropReason::no_route);
}

}  // namespace culvert::dataplane
