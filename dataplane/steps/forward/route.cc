#include <rte_prefetch.h>

#include "dataplane/ip/icmp_error.h"
#include "dataplane/steps/steps.h"

namespace culvert::dataplane {
namespace {

// To this machine: what came out of a call goes to the kernel by the TUN, a frame from a port
// by that port's TAP, with the Ethernet header that is still before the packet.
Verdict Local(Packet* packet) {
  if (packet->call != nullptr) {
    return Verdict::PuntClients();
  }
  if (packet->from_kernel || packet->Prepend(kEthernetHeaderLen) == nullptr) {
    return Verdict::Drop(DropReason::no_route);  // the kernel's own address came back out of it
  }
  return Verdict::PuntPort();
}

Verdict Follow(Packet& packet, NextHop hop, WorkerContext& context) {
  packet.next_hop = hop.value();
  switch (hop.kind()) {
    case NextHop::Kind::kCall: {
      const Call& call = context.calls->At(hop.index());
      rte_prefetch0(&call);
      rte_prefetch0(&call.more());
      packet.call_index = hop.index();
      packet.call = nullptr;
      packet.downstream = true;
      return Verdict::GoTo(Stage::kDownstream);
    }
    case NextHop::Kind::kAdjacency:
    case NextHop::Kind::kOnLink:
      return Verdict::GoTo(Stage::kTransit);
    case NextHop::Kind::kLocal:
      return Local(&packet);
    case NextHop::Kind::kClients:
      SpawnIcmpError(packet, wire::icmp::kHostUnreachable, &context);
      return Verdict::Drop(DropReason::no_client);
    case NextHop::Kind::kBlackhole:
      return Verdict::Drop(DropReason::blackhole);
    case NextHop::Kind::kNone:
      break;
  }
  SpawnIcmpError(packet, wire::icmp::kNetworkUnreachable, &context);
  return Verdict::Drop(DropReason::no_route);
}

// FindCalls makes clients' networks into their calls. Packets from clients rarely go to one.
void FindCalls(const uint32_t* addresses, std::span<uint64_t> values,
               const WorkerContext& context) {
  constexpr auto is_clients = [](uint64_t value) {
    return NextHop::FromValue(static_cast<uint32_t>(value)).kind() == NextHop::Kind::kClients;
  };
  bool any = false;
  for (size_t i = 0; i < values.size(); ++i) {
    if (is_clients(values[i])) {
      any = true;
      rte_prefetch0(context.clients->Entry(addresses[i]));
    }
  }
  for (size_t i = 0; any && i < values.size(); ++i) {
    if (is_clients(values[i])) {
      const uint32_t index = context.clients->Find(addresses[i]);
      if (index != ClientTable::kNone) {
        values[i] = NextHop(NextHop::Kind::kCall, index).value();
      }
    }
  }
}

}  // namespace

// RFC 1812 s5.2.4. The next stage's memory is fetched from here on.
void RouteBurst(std::span<rte_mbuf* const> mbufs, Verdict* verdicts, WorkerContext& context) {
  uint32_t addresses[Fib::kMaxBulk];
  uint64_t values[Fib::kMaxBulk];
  for (size_t i = 0; i < mbufs.size(); ++i) {
    addresses[i] = PacketOf(mbufs[i]).ip.destination;
  }
  context.fib->Lookup({addresses, mbufs.size()}, values);
  FindCalls(addresses, {values, mbufs.size()}, context);
  for (size_t i = 0; i < mbufs.size(); ++i) {
    verdicts[i] =
        Follow(PacketOf(mbufs[i]), NextHop::FromValue(static_cast<uint32_t>(values[i])), context);
  }
}

}  // namespace culvert::dataplane
