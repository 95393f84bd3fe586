#include <rte_prefetch.h>

#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// The route may be older than the call: the address decides, or the call's generation when its
// sender knew that. No data leaves in clear where
// encryption is required (RFC 3078 s9).
Verdict DownstreamCallStep(Packet& packet, WorkerContext& context) {
  Call& call = context.calls->At(packet.call_index);
  if (Load(call.generation, std::memory_order_acquire) == 0) {
    return Verdict::Drop(DropReason::call_stale);
  }
  if (const uint16_t owner = Load(call.owner); owner != context.worker) {
    return Verdict::HandOver(owner);
  }
  if (call.client_address != packet.ip.destination && packet.generation != call.generation &&
      !context.prefixes->Covers(packet.call_index, packet.ip.destination)) {
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
