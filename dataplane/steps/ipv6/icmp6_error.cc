#include "dataplane/steps/ipv6/icmp6_error.h"

#include <algorithm>

#include "dataplane/steps/ipv6/ipv6.h"

namespace culvert::dataplane {
namespace {

// OursTowards gives our address on the interface towards `destination`; zeros: none.
Ipv6Address OursTowards(const wire::ip6::Address& destination, const WorkerContext& context) {
  const NextHop hop = context.fib6->Lookup(destination.data());
  switch (hop.kind()) {
    case NextHop::Kind::kAdjacency:
      return context.own->Ipv6(context.adjacencies->Get(hop.index()).port);
    case NextHop::Kind::kOnLink:
      return context.own->Ipv6(static_cast<uint16_t>(hop.index()));
    case NextHop::Kind::kCall:
    case NextHop::Kind::kClients:
      return context.own->Ipv6(OwnAddresses::kClients);
    case NextHop::Kind::kNone:
    case NextHop::Kind::kLocal:
    case NextHop::Kind::kBlackhole:
      break;
  }
  return {};
}

}  // namespace

void SpawnIcmp6Error(Packet& packet, const wire::icmp::Message& message, WorkerContext* context) {
  const wire::Octets octets{packet.data(),
                            std::min<size_t>(packet.data_len(), packet.ip.total_len)};
  const auto header = wire::ip6::Parse(octets);
  if (!header || packet.from_kernel || context->spawned.Room() == 0 ||
      !wire::icmp::MayAnswerV6(*header, octets, message)) {
    return;
  }
  const auto low = static_cast<uint32_t>(NumberOf(header->source.data()) >> 64);
  const uint32_t party = packet.call != nullptr ? packet.call_index : low;
  const Ipv6Address source = OursTowards(header->source, *context);
  if (source == Ipv6Address{} || !context->MaySendError(party)) {
    return;
  }
  rte_mbuf* mbuf = rte_pktmbuf_alloc(context->mbufs);
  if (mbuf == nullptr) {
    context->Count(DropReason::no_buffer);
    return;
  }
  const size_t len = wire::icmp::ErrorPacketLenV6(octets.size());
  auto* out = reinterpret_cast<uint8_t*>(rte_pktmbuf_append(mbuf, static_cast<uint16_t>(len)));
  if (out == nullptr) {
    rte_pktmbuf_free(mbuf);
    return;
  }
  wire::icmp::EmitErrorPacketV6(message, source, header->source, octets, {out, len});
  Packet& error = ResetPacket(mbuf);
  BeginIpv6(&error, *wire::ip6::Parse({out, len}));
  error.port = packet.port;
  error.from_kernel = true;  // its hop limit is whole
  context->Spawn(Stage::kRoute6, error);
}

}  // namespace culvert::dataplane
