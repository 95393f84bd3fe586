#include "dataplane/steps/ipv6/ipv6.h"

namespace culvert::dataplane {

// RFC 8200 s3, of a frame from a port. What is for the link (neighbour discovery, RFC 4861) is the
// kernel's, as is everything while it has no IPv6 routes.
Verdict Ipv6InputStep(Packet& packet, WorkerContext& context) {
  packet.offset = kEthernetHeaderLen;
  packet.length = static_cast<uint16_t>(packet.data_len() - kEthernetHeaderLen);
  const auto header = wire::ip6::Parse(packet.payload());
  if (!header) {
    return Verdict::Drop(ReasonOf(header.error()));
  }
  if (IsForTheLink(*header) || context.fib6->empty()) {
    return Verdict::PuntPort();
  }
  BeginIpv6(&packet, *header);
  return Verdict::GoTo(Stage::kRoute6);
}

}  // namespace culvert::dataplane
