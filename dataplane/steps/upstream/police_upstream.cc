#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// RFC 2697, RFC 2698.
Verdict PoliceUpstreamStep(Packet& packet, WorkerContext& context) {
  if ((packet.call->features & kFeaturePoliceUpstream) != 0 &&
      !context.calls->PolicersOf(packet.call_index)
           .upstream.Allows(context.now_tsc, packet.ip.total_len)) {
    return Verdict::Drop(DropReason::policed_upstream);
  }
  return Verdict::Next();
}

}  // namespace culvert::dataplane
