#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// RFC 2697, RFC 2698.
Verdict PoliceDownstreamStep(Packet& packet, WorkerContext& context) {
  if ((packet.call->features & kFeaturePoliceDownstream) != 0 &&
      !context.calls->PolicersOf(packet.call_index)
           .downstream.Allows(context.now_tsc, packet.ip.total_len)) {
    return Verdict::Drop(DropReason::policed_downstream);
  }
  return Verdict::Next();
}

}  // namespace culvert::dataplane
