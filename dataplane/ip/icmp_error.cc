#include "dataplane/ip/icmp_error.h"

#include <algorithm>

namespace culvert::dataplane {
namespace {

// SourceFor gives our address on the interface towards `destination` (RFC 1812 s4.3.2.4); 0: there
// is no way, or no address.
uint32_t SourceFor(uint32_t destination, const WorkerContext& context) {
  const NextHop hop = context.fib->Lookup(destination);
  switch (hop.kind()) {
    case NextHop::Kind::kAdjacency:
      return context.own->Ipv4(context.adjacencies->Get(hop.index()).port);
    case NextHop::Kind::kOnLink:
      return context.own->Ipv4(static_cast<uint16_t>(hop.index()));
    case NextHop::Kind::kCall:
    case NextHop::Kind::kClients:
      return context.own->Ipv4(OwnAddresses::kClients);
    case NextHop::Kind::kNone:
    case NextHop::Kind::kLocal:
    case NextHop::Kind::kBlackhole:
      break;
  }
  return 0;
}

}  // namespace

void SpawnIcmpError(Packet& packet, const wire::icmp::Message& message, WorkerContext* context) {
  const wire::Octets octets{packet.data(),
                            std::min<size_t>(packet.data_len(), packet.ip.total_len)};
  // The kernel's packets are this machine's: it would not believe an error from its own address.
  if (packet.from_kernel || context->spawned.Room() == 0 ||
      !wire::icmp::MayAnswer(packet.ip, octets)) {
    return;
  }
  const uint32_t party = packet.call != nullptr ? packet.call_index : packet.ip.source;
  const uint32_t source = SourceFor(packet.ip.source, *context);
  if (source == 0 || !context->MaySendError(party)) {
    return;
  }
  rte_mbuf* mbuf = rte_pktmbuf_alloc(context->mbufs);
  if (mbuf == nullptr) {
    context->Count(DropReason::no_buffer);
    return;
  }
  const size_t len = wire::icmp::ErrorPacketLen(octets.size());
  auto* out = reinterpret_cast<uint8_t*>(rte_pktmbuf_append(mbuf, static_cast<uint16_t>(len)));
  wire::icmp::EmitErrorPacket(message, source, packet.ip.source, context->next_ip_id++, octets,
                              {out, len});
  Packet& error = ResetPacket(mbuf);
  error.ip = *wire::ip::ParseIpv4({out, len});
  error.port = packet.port;
  error.from_kernel = true;  // its TTL is whole
  context->Spawn(Stage::kRoute, error);
}

}  // namespace culvert::dataplane
