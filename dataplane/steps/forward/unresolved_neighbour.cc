#include "dataplane/steps/forward/unresolved_neighbour.h"

#include "dataplane/ip/icmp_error.h"

namespace culvert::dataplane {

Verdict UnresolvedNeighbour(Packet& packet, uint16_t port, uint32_t address,
                            WorkerContext& context) {
  context.unresolved.Report(port, address, context.now_ms);
  // The call may end meanwhile. An outer packet is still known by `downstream`.
  if (!context.neighbour_wait->Hold(packet, port, address, context.now_ms)) {
    return Verdict::Drop(DropReason::neighbour_unresolved);
  }
  packet.call = nullptr;
  return Verdict::Hold();
}

bool PollNeighbours(WorkerContext* context) {
  bool any = false;
  context->neighbour_wait->Poll(context->now_ms, [&](Packet& packet, bool expired) {
    // The way may be another one by now.
    const NextHop hop = context->fib->Lookup(packet.ip.destination);
    if (context->spawned.Room() > 0 && hop.kind() == NextHop::Kind::kAdjacency &&
        context->adjacencies->Get(hop.index()).resolved) {
      packet.next_hop = hop.value();
      context->Spawn(Stage::kEthernet, packet);
      any = true;
      return true;
    }
    if (!expired) {
      return false;
    }
    if (!packet.downstream) {  // else it is ours, with another one's packet in it
      SpawnIcmpError(packet, wire::icmp::kHostUnreachable, context);
    }
    any = any || !context->spawned.empty();
    context->Count(DropReason::neighbour_unresolved);
    rte_pktmbuf_free(packet.mbuf());
    return true;
  });
  return any;
}

}  // namespace culvert::dataplane
