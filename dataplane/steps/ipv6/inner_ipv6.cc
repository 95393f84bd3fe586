#include "dataplane/forwarding/fib6.h"
#include "dataplane/steps/ipv6/ipv6.h"
#include "dataplane/steps/upstream/punt.h"

namespace culvert::dataplane {
namespace {

// RFC 5072 s4.1: the interface identifier is the one that IPV6CP gave.
bool IsOwnLinkLocal(const wire::ip6::Address& address, const CallPrefixes& own) {
  return NumberOf(address.data()) == absl::MakeUint128(0xfe80ULL << 48, own.interface_id);
}

}  // namespace

// IPv6 out of a call or the kernel. What a client says on its link (router solicitation, neighbour
// discovery, DHCPv6) goes to the control plane, which knows the call.
Verdict InnerIpv6Step(Packet& packet, WorkerContext& context) {
  const auto header = wire::ip6::Parse(packet.payload());
  if (!header) {
    return Verdict::Drop(ReasonOf(header.error()));
  }
  if (IsForTheLink(*header)) {
    if (packet.call == nullptr) {
      return Verdict::Drop(DropReason::ipv6_link_scope);
    }
    const CallPrefixes* own = context.prefixes->Find(packet.call_index);
    const bool may = wire::ip6::IsUnspecified(header->source) ||
                     IsOwnLinkLocal(header->source, *own) ||
                     own->Covers(NumberOf(header->source.data()));
    return may ? PuntToControl(&packet, context) : Verdict::Drop(DropReason::source_spoofed);
  }
  BeginIpv6(&packet, *header);
  return Verdict::Next();
}

}  // namespace culvert::dataplane
