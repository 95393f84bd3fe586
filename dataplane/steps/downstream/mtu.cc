#include "dataplane/steps/downstream/mtu.h"

#include <algorithm>

#include "dataplane/call/call_mtu.h"
#include "dataplane/ip/icmp_error.h"
#include "dataplane/ip/spawn_fragments.h"

namespace culvert::dataplane {
namespace {

// TooBig: RFC 1812 s4.2.2.7, s5.2.7.1, RFC 1191 s4. Every fragment is a packet of its own from here
// on, with a sequence number of its own.
Verdict TooBig(Packet& packet, uint16_t mtu, WorkerContext& context) {
  if (packet.ip.DontFragment()) {
    SpawnIcmpError(packet, wire::icmp::FragmentationNeeded(mtu), &context);
    return Verdict::Drop(DropReason::inner_too_big);
  }
  const auto reason = SpawnFragments(packet, packet.ip, mtu, Stage::kDownstreamPermitted,
                                     DropReason::inner_too_big, &context);
  return reason ? Verdict::Drop(*reason) : Verdict::Next();
}

// Narrowed is for a call whose outer packets may not be cut.
uint16_t Narrowed(const Call& call, const WorkerContext& context) {
  const uint16_t outer = context.path_mtus->Find(
      {call.local_address, call.peer_address, call.peer_call_id}, context.now_ms);
  const int overhead =
      CallOverhead(call.more().send_acfc != 0, call.more().send_pfc != 0, call.encrypts != 0);
  return outer == 0 ? call.mtu : static_cast<uint16_t>(std::min<int>(call.mtu, outer - overhead));
}

}  // namespace

uint16_t MtuOf(const Call& call, const WorkerContext& context) {
  return call.dont_fragment == 0 ? call.mtu : Narrowed(call, context);
}

// The client's MRU and the outer path bound what a call takes.
Verdict MtuStep(Packet& packet, WorkerContext& context) {
  const uint16_t mtu = MtuOf(*packet.call, context);
  if (packet.ip.total_len > mtu) {
    return TooBig(packet, mtu, context);
  }
  return Verdict::Next();
}

}  // namespace culvert::dataplane
