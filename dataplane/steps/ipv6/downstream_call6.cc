#include <rte_prefetch.h>

#include "dataplane/steps/ipv6/ipv6.h"

namespace culvert::dataplane {

// As downstream_call.
Verdict DownstreamCall6Step(Packet& packet, WorkerContext& context) {
  Call& call = context.calls->At(packet.call_index);
  if (Load(call.generation, std::memory_order_acquire) == 0) {
    return Verdict::Drop(DropReason::call_stale);
  }
  if (const uint16_t owner = Load(call.owner); owner != context.worker) {
    return Verdict::HandOver(owner);
  }
  if (!context.prefixes->Covers(packet.call_index, NumberOf(Ipv6Destination(packet)))) {
    return Verdict::Drop(DropReason::call_stale);
  }
  packet.call = &call;
  if (call.require_encryption != 0 && call.encrypts == 0) {
    return Verdict::Drop(DropReason::encryption_missing);
  }
  if (call.encrypts != 0) {
    rte_prefetch0(&call.send());
  }
  return Verdict::Next();
}

}  // namespace culvert::dataplane
