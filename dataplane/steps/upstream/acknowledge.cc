#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// RFC 2637 s4.3: the number is received from here on, and is acknowledged with the next packet to
// the peer, after a delay, or once half the window is waiting. Peers that heed the window stall
// else.
Verdict AcknowledgeStep(Packet& packet, WorkerContext& context) {
  Call& call = *packet.call;
  call.highest_received = packet.sequence;
  call.has_received = 1;
  call.jump_count = 0;
  call.ack_due = 1;
  if (!packet.encrypted) {
    ++call.receive.num_others;
  }
  if (++call.unacknowledged > call.receive_window / 2) {
    call.unacknowledged = 0;  // once, also if the packet then cannot be sent
    context.ack_now[context.num_ack_now++] = packet.call_index;
  } else if (call.ack_queued == 0) {
    if (context.acks.Put(packet.call_index, call.generation, context.now_ms)) {
      call.ack_queued = 1;
    } else {
      context.ack_now[context.num_ack_now++] = packet.call_index;
    }
  }
  return Verdict::Next();
}

}  // namespace culvert::dataplane
