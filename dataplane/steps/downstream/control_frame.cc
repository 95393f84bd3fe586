#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// A frame of the control plane, from its protocol field on. RFC 1661 s6.6: LCP frames always carry
// address and control; the others lose nothing by it.
Verdict ControlFrameStep(Packet& packet, WorkerContext& context) {
  Call& call = context.calls->At(packet.call_index);
  if (Load(call.generation) != packet.generation || Load(call.owner) != context.worker) {
    return Verdict::Drop(DropReason::call_stale);
  }
  packet.call = &call;
  packet.downstream = true;
  uint8_t* at = packet.Prepend(2);
  if (at == nullptr) {
    return Verdict::Drop(DropReason::headroom);
  }
  at[0] = 0xff;
  at[1] = 0x03;
  packet.has_sequence = true;
  return Verdict::GoTo(Stage::kTunnel);
}

}  // namespace culvert::dataplane
