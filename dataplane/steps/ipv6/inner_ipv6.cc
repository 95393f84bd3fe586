#include "dataplane/forwarding/fib6.h"
#include "dataplane/steps/ipv6/ipv6.h"
#include "dataplane/steps/upstream/punt.h"

namespace culvert::dataplane {
namespace {

// RFC 5072 s4.1: the interface identifier is the one that IPV6CP gave.
bool IsOwnLinkLocal(const wire::ip6::Address& address, const CallPrefixes& own) {
  return NumberOf(address.data()) == absl::MakeUint128(0xfe80ULL << 48, own.interface_id);
}

// IsLinkControl picks what the control plane answers: echo, router solicitation and neighbour
// discovery (RFC 4443, RFC 4861), DHCPv6 (RFC 8415 s7.2). The rest of what a client says to its
// link (mDNS and the like) must not use up the call's control frames.
bool IsLinkControl(const wire::ip6::Header& header, wire::Octets packet) {
  const wire::Octets upper = packet.subspan(wire::ip6::kHeaderLen, header.payload_len);
  if (header.next_header == wire::ip6::kUdp) {
    constexpr uint16_t kDhcpServer = 547;
    return upper.size() >= 8 && wire::LoadBe16(&upper[2]) == kDhcpServer;
  }
  if (header.next_header != wire::ip6::kIcmp || upper.size() < 8) {
    return false;
  }
  constexpr uint8_t kEchoRequest = 128;
  constexpr uint8_t kRouterSolicitation = 133;
  constexpr uint8_t kNeighbourSolicitation = 135;
  constexpr uint8_t kNeighbourAdvertisement = 136;
  const uint8_t type = upper[0];
  return type == kEchoRequest || type == kRouterSolicitation || type == kNeighbourSolicitation ||
         type == kNeighbourAdvertisement;
}

}  // namespace

// IPv6 out of a call or the kernel. What a client asks on its link goes to the control plane, which
// knows the call.
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
    if (own == nullptr) {  // the call has lost its IPv6 since it was asked before
      return Verdict::Drop(DropReason::call_stale);
    }
    const bool may = wire::ip6::IsUnspecified(header->source) ||
                     IsOwnLinkLocal(header->source, *own) ||
                     own->Covers(NumberOf(header->source.data()));
    if (!may) {
      return Verdict::Drop(DropReason::source_spoofed);
    }
    return IsLinkControl(*header, packet.payload()) ? PuntToControl(&packet, context)
                                                    : Verdict::Drop(DropReason::ipv6_link_scope);
  }
  BeginIpv6(&packet, *header);
  return Verdict::Next();
}

}  // namespace culvert::dataplane
