#include "dataplane/steps/downstream/acknowledgement.h"
#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// RFC 2637 s4.3: the packet has proved sound, so its number is received, and is acknowledged with
// the next packet to the peer, after a delay, or once half the window is waiting. Peers that heed
// the window stall else.
Verdict AcknowledgeStep(Packet& packet, WorkerContext& context) {
  Call& call = *packet.call;
  if (call.has_sound == 0 || static_cast<int32_t>(packet.sequence - call.last_sound) > 0) {
    call.last_sound = packet.sequence;
    call.has_sound = 1;
  }
  call.ack_due = 1;
  if (call.decrypts != 0 && !packet.encrypted &&
      static_cast<int32_t>(packet.sequence - call.receive.last_sequence) > 0) {
    ++call.receive.num_others;
  }
  if (++call.unacknowledged > call.receive_window / 2) {
    call.unacknowledged = 0;  // once, also if the packet then cannot be sent
    SpawnAcknowledgement(&call, packet.call_index, &context);
  } else if (call.ack_queued == 0) {
    if (context.acks.Put(packet.call_index, call.generation, context.now_ms)) {
      call.ack_queued = 1;
    } else {
      SpawnAcknowledgement(&call, packet.call_index, &context);
    }
  }
  return Verdict::Next();
}

}  // namespace culvert::dataplane
