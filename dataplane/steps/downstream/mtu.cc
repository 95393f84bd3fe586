#include "dataplane/ip/icmp_error.h"
#include "dataplane/ip/spawn_fragments.h"
#include "dataplane/steps/steps.h"

namespace culvert::dataplane {
namespace {

// TooBig: RFC 1812 s4.2.2.7, s5.2.7.1, RFC 1191 s4. Every fragment is a packet of its own from here
// on, with a sequence number of its own.
Verdict TooBig(Packet& packet, WorkerContext& context) {
  const uint16_t mtu = packet.call->mtu;
  if (packet.ip.DontFragment()) {
    SpawnIcmpError(packet, wire::icmp::FragmentationNeeded(mtu), &context);
    return Verdict::Drop(DropReason::inner_too_big);
  }
  const auto reason = SpawnFragments(packet, packet.ip, mtu, Stage::kDownstream,
                                     DropReason::inner_too_big, &context);
  return reason ? Verdict::Drop(*reason) : Verdict::Next();
}

}  // namespace

// The client's MRU and the outer path bound what a call takes.
Verdict MtuStep(Packet& packet, WorkerContext& context) {
  if (packet.ip.total_len > packet.call->mtu) {
    return TooBig(packet, context);
  }
  return Verdict::Next();
}

}  // namespace culvert::dataplane
