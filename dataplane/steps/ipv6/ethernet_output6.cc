#include <cstring>

#include "dataplane/steps/ipv6/icmp6_error.h"
#include "dataplane/steps/ipv6/ipv6.h"

namespace culvert::dataplane {

namespace {

// A port without link has no neighbours: its packets are lost for that reason.
Verdict Unresolved(uint16_t port, Ipv6Number address, WorkerContext* context) {
  if (!context->port_table->IsUp(port)) {
    Add(&context->port_counters[port].down, 1);
    return Verdict::Drop(DropReason::port_down);
  }
  context->ipv6_unresolved.Report(port, address, context->now_ms);
  return Verdict::Drop(DropReason::neighbour_unresolved);
}

}  // namespace

// RFC 2464; as ethernet_output.
Verdict EthernetOutput6Step(Packet& packet, WorkerContext& context) {
  const NextHop hop = NextHop::FromValue(packet.next_hop);
  if (hop.kind() == NextHop::Kind::kOnLink) {
    return Unresolved(static_cast<uint16_t>(hop.index()), NumberOf(Ipv6Destination(packet)),
                      &context);
  }
  const EthernetAdjacency& adjacency = context.adjacencies->Get(hop.index());
  if (!adjacency.resolved) {
    return Unresolved(adjacency.port, adjacency.ipv6_address, &context);
  }
  if (packet.data_len() > adjacency.mtu) {
    SpawnIcmp6Error(packet, wire::icmp::PacketTooBigV6(adjacency.mtu), &context);
    return Verdict::Drop(DropReason::egress_too_big);
  }
  uint8_t* header = packet.Prepend(adjacency.header_len);
  if (header == nullptr) {
    return Verdict::Drop(DropReason::headroom);
  }
  std::memcpy(header, adjacency.header.data(), adjacency.header_len);
  return Verdict::Transmit(adjacency.port);
}

}  // namespace culvert::dataplane
