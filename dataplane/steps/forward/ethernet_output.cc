#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// RFC 894. Fragmentation (RFC 1812 s4.2.2.7) is missing: what is too big is dropped.
Verdict EthernetOutputStep(Packet& packet, WorkerContext& context) {
  const NextHop hop = NextHop::FromValue(packet.next_hop);
  if (hop.kind() == NextHop::Kind::kOnLink) {
    context.unresolved.Report(static_cast<uint16_t>(hop.index()), packet.ip.destination,
                              context.now_ms);
    return Verdict::Drop(DropReason::neighbour_unresolved);
  }
  const EthernetAdjacency& adjacency = context.adjacencies->Get(hop.index());
  if (!adjacency.resolved) {
    context.unresolved.Report(adjacency.port, adjacency.address, context.now_ms);
    return Verdict::Drop(DropReason::neighbour_unresolved);
  }
  if (packet.data_len() > adjacency.mtu) {
    return Verdict::Drop(DropReason::egress_too_big);
  }
  uint8_t* header = packet.Prepend(kEthernetHeaderLen);
  if (header == nullptr) {
    return Verdict::Drop(DropReason::headroom);
  }
  std::memcpy(header, adjacency.header.data(), adjacency.header.size());
  return Verdict::Transmit(adjacency.port);
}

}  // namespace culvert::dataplane
