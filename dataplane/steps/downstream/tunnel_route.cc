#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// The way to the call's peer, looked up again only after the forwarding table changed.
Verdict TunnelRouteStep(Packet& packet, WorkerContext& context) {
  Call& call = *packet.call;
  if (call.route_epoch != context.route_epoch) {
    call.route = context.fib->Lookup(call.peer_address).value();
    call.route_epoch = context.route_epoch;
  }
  packet.next_hop = call.route;
  switch (NextHop::FromValue(call.route).kind()) {
    case NextHop::Kind::kAdjacency:
    case NextHop::Kind::kOnLink:
      return Verdict::Next();
    case NextHop::Kind::kNone:
    case NextHop::Kind::kBlackhole:
      return Verdict::Drop(DropReason::tunnel_no_route);
    case NextHop::Kind::kLocal:
    case NextHop::Kind::kClients:
    case NextHop::Kind::kCall:
      break;
  }
  return Verdict::Drop(DropReason::tunnel_recursion);
}

}  // namespace culvert::dataplane
