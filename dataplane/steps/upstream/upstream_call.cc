#include <rte_prefetch.h>

#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// RFC 2637 s4.1: the Call ID is the one that we gave; the packet must come from the call's peer.
Verdict UpstreamCallStep(Packet& packet, WorkerContext& context) {
  Call& call = context.calls->At(packet.call_index);
  if (Load(call.generation, std::memory_order_acquire) == 0) {
    return Verdict::Drop(DropReason::call_unknown);
  }
  if (const uint16_t owner = Load(call.owner); owner != context.worker) {
    return Verdict::HandOver(owner);
  }
  if (call.local_address != packet.ip.destination) {
    return Verdict::Drop(DropReason::call_unknown);  // the slot has changed hands meanwhile
  }
  if (call.peer_address != packet.ip.source) {
    return Verdict::Drop(DropReason::call_wrong_peer);
  }
  packet.call = &call;
  if (call.decrypts != 0) {
    rte_prefetch0(&call.receive());
  }
  return Verdict::Next();
}

}  // namespace culvert::dataplane
