#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// RFC 2637 s4.2: data beyond the peer's window is dropped here, before it takes a count of MPPE's.
Verdict SendWindowStep(Packet& packet, WorkerContext& context) {
  Call& call = *packet.call;
  if ((call.features & kFeatureSendWindow) != 0 &&
      !context.calls->SendWindowOf(packet.call_index)
           .Reserve(call.more().send_sequence, context.now_ms,
                    static_cast<uint32_t>(context.now_tsc))) {
    return Verdict::Drop(DropReason::send_window);
  }
  return Verdict::Next();
}

}  // namespace culvert::dataplane
