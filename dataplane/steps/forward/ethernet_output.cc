#include "dataplane/steps/forward/egress_too_big.h"
#include "dataplane/steps/forward/unresolved_neighbour.h"
#include "dataplane/steps/steps.h"

namespace culvert::dataplane {
namespace {

// A port without link has no neighbours: its packets are lost for that reason.
Verdict Unresolved(Packet& packet, uint16_t port, uint32_t address, WorkerContext* context) {
  if (!context->port_table->IsUp(port)) {
    Add(&context->port_counters[port].down, 1);
    return Verdict::Drop(DropReason::port_down);
  }
  return UnresolvedNeighbour(packet, port, address, *context);
}

// An outer header whose checksum was left to the port: not every port puts it in.
void Checksum(Packet* packet, const EthernetAdjacency& adjacency, const PortSpec& port) {
  rte_mbuf* mbuf = packet->mbuf();
  uint8_t* header = packet->data();
  wire::StoreBe16(header + 10, 0);  // a first fragment has one already
  if (port.tx_checksum) {
    mbuf->l2_len = adjacency.header_len;
    mbuf->l3_len = wire::ip::kIpv4HeaderLen;
    return;
  }
  mbuf->ol_flags &= ~kTxChecksumFlags;
  wire::StoreBe16(header + 10, wire::ip::Checksum({header, wire::ip::kIpv4HeaderLen}));
}

}  // namespace

// RFC 894.
Verdict EthernetOutputStep(Packet& packet, WorkerContext& context) {
  const NextHop hop = NextHop::FromValue(packet.next_hop);
  if (hop.kind() == NextHop::Kind::kOnLink) {
    return Unresolved(packet, static_cast<uint16_t>(hop.index()), packet.ip.destination, &context);
  }
  const EthernetAdjacency& adjacency = context.adjacencies->Get(hop.index());
  if (!adjacency.resolved) {
    return Unresolved(packet, adjacency.port, adjacency.address, &context);
  }
  if (packet.data_len() > adjacency.mtu) {
    if (const auto reason = FitEgress(packet, adjacency.mtu, &context)) {
      return Verdict::Drop(*reason);
    }
  }
  if ((packet.mbuf()->ol_flags & RTE_MBUF_F_TX_IP_CKSUM) != 0) {
    Checksum(&packet, adjacency, context.ports[adjacency.port]);
  }
  uint8_t* header = packet.Prepend(adjacency.header_len);
  if (header == nullptr) {
    return Verdict::Drop(DropReason::headroom);
  }
  if (adjacency.header_len == kEthernetHeaderLen) {
    std::memcpy(header, adjacency.header.data(), kEthernetHeaderLen);
  } else {
    std::memcpy(header, adjacency.header.data(), kEthernetHeaderLen + kVlanTagLen);
  }
  return Verdict::Transmit(adjacency.port);
}

}  // namespace culvert::dataplane
