#include "dataplane/call/ack_delay.h"
#include "dataplane/reorder/reorder.h"
#include "dataplane/steps/downstream/acknowledgement.h"
#include "dataplane/steps/steps.h"
#include "proto/wire/gre.h"

namespace culvert::dataplane {
namespace {

using wire::gre::SequenceAfter;

// NoteSound: the packet is the peer's. What SequenceStep judges by is never behind that, also when
// forged packets of the same burst have given their numbers back.
void NoteSound(const Packet& packet, Call* call, WorkerContext* context) {
  // Only MPPE proves who sent a packet: a number this far beyond a decrypted frame's was forged.
  constexpr uint32_t kMaxForgedLead = 64;
  const uint32_t sequence = packet.sequence;
  if (call->has_sound == 0 || SequenceAfter(sequence, call->last_sound)) {
    call->last_sound = sequence;
    call->has_sound = 1;
    if (call->has_received == 0 || SequenceAfter(sequence, call->highest_received)) {
      call->highest_received = sequence;
      call->has_received = 1;
      if (call->reorder != 0) {  // for what seemed to be missing
        ReleaseFollowers(call, context);
      }
    }
  } else if (packet.encrypted && call->last_sound - sequence > kMaxForgedLead) {
    call->last_sound = sequence;
    call->highest_received = sequence;
  }
}

}  // namespace

// RFC 2637 s4.3: the packet has proved sound, so its number is received, and is acknowledged with
// the next packet to the peer, after a delay, or once half the window is waiting. Peers that heed
// the window stall else.
Verdict AcknowledgeStep(Packet& packet, WorkerContext& context) {
  Call& call = *packet.call;
  NoteSound(packet, &call, &context);
  call.ack_due = 1;
  if (call.decrypts != 0 && !packet.encrypted &&
      static_cast<int32_t>(packet.sequence - call.receive().last_sequence) > 0) {
    ++call.receive().num_others;
  }
  if (++call.unacknowledged > call.receive_window / 2) {
    call.unacknowledged = 0;  // once, also if the packet then cannot be sent
    SpawnAcknowledgement(&call, packet.call_index, &context);
  } else if (call.ack_queued == 0) {
    if (context.acks.Put(packet.call_index, call.generation, context.now_ms,
                         AckDelay::FromOctet(call.ack_delay).ms())) {
      call.ack_queued = 1;
    } else {
      SpawnAcknowledgement(&call, packet.call_index, &context);
    }
  }
  return Verdict::Next();
}

}  // namespace culvert::dataplane
