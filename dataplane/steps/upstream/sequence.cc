#include "dataplane/reorder/ppp_peek.h"
#include "dataplane/reorder/reorder.h"
#include "dataplane/steps/steps.h"
#include "dataplane/worker/sweep.h"
#include "proto/wire/gre.h"

namespace culvert::dataplane {
namespace {

using wire::gre::SequenceAfter;

// Further behind than any network delays: the peer counts anew.
constexpr int32_t kMaxBehind = 65536;
constexpr uint8_t kRestartConfirmations = 32;

// RunLen counts packets that follow on each other away from where the call is. One that does not
// follow only takes one off, so that a forger must send more than the peer to hinder it.
uint8_t RunLen(Call* call, uint32_t sequence) {
  const uint32_t step = sequence - call->more().run_sequence;
  if (call->run_count > 1 && (step == 0 || step > kMaxRunStep)) {
    call->run_count = static_cast<uint8_t>(call->run_count - (call->run_count < UINT8_MAX));
    return 0;
  }
  const bool follows = call->run_count > 0 && step >= 1 && step <= kMaxRunStep;
  call->more().run_sequence = sequence;
  call->run_count =
      static_cast<uint8_t>(follows ? call->run_count + (call->run_count < UINT8_MAX) : 1);
  return call->run_count;
}

Verdict Accept(Packet* packet) {
  Call& call = *packet->call;
  NoteJump(&call, packet->sequence);
  call.run_count = 0;
  call.highest_received = packet->sequence;
  return Verdict::Next();
}

// IsUnproven: an encrypted frame after the last one that MPPE has found genuine. Forged packets may
// have moved the call meanwhile; MPPE lets each frame through once.
bool IsUnproven(Packet* packet) {
  const Call& call = *packet->call;
  return call.decrypts != 0 && IsEncrypted(*packet) &&
         (call.receive().has_sequence == 0 ||
          SequenceAfter(packet->sequence, call.receive().last_sequence));
}

// Doubt asks whether the peer is still there: whoever counts anew may be a forger. Where nobody can
// ask, what is encrypted is believed and what is in clear is not.
bool Doubt(const Packet& packet, WorkerContext* context) {
  const Call& call = *packet.call;
  if ((call.features & kFeatureKeepalive) != 0) {
    CallWatch& watch = context->calls->WatchOf(packet.call_index);
    if (watch.interval_s != 0) {
      watch.in_doubt = 1;
      watch.asked = 0;
      context->sweep->Hurry(packet.call_index);
      return true;
    }
  }
  return call.decrypts != 0 ||
         context->events.Report(MakeHandle(call.generation, packet.call_index),
                                CallEvent::Kind::kSequenceRestart);
}

// A peer that has begun to count anew is another session; to go on would let old packets in.
Verdict FarBehind(Packet* packet, WorkerContext* context) {
  Call& call = *packet->call;
  RunLen(&call, packet->sequence);
  if (call.run_count < kRestartConfirmations) {
    return Verdict::Drop(DropReason::sequence_late);
  }
  if (call.run_count != UINT8_MAX && Doubt(*packet, context)) {
    call.run_count = UINT8_MAX;  // told
  }
  return Verdict::Drop(DropReason::sequence_restart);
}

// TakesJumpBack: the peer goes on from before a jump, with numbers that nobody has used; so the
// jump was forged.
bool TakesJumpBack(Packet* packet) {
  Call& call = *packet->call;
  const uint32_t into = packet->sequence - call.more().jump_from;
  if (into == 0 || into >= call.more().jump_len || RunLen(&call, packet->sequence) < kRunLen) {
    return false;
  }
  call.run_count = 0;
  call.more().jump_len = 0;
  call.highest_received = packet->sequence;
  return true;
}

Verdict Late(Packet* packet, int32_t distance, WorkerContext* context) {
  if (IsUnproven(packet)) {
    return Verdict::Next();
  }
  if (distance == 0) {
    return Verdict::Drop(DropReason::sequence_duplicate);
  }
  if (distance < -kMaxBehind) {
    return FarBehind(packet, context);
  }
  // A link must not be taken for dead because its echoes were overtaken.
  if (IsLcpEcho(*packet) || TakesJumpBack(packet)) {
    return Verdict::Next();
  }
  return Verdict::Drop(DropReason::sequence_late);
}

Verdict OutOfOrder(Packet* packet, WorkerContext* context) {
  Call& call = *packet->call;
  if (call.has_received == 0) {  // peers begin at 0, 1 or anything
    call.has_received = 1;
    call.highest_received = packet->sequence;
    return Verdict::Next();
  }
  const auto distance = static_cast<int32_t>(packet->sequence - call.highest_received);
  if (distance <= 0) {
    return Late(packet, distance, context);
  }
  if (distance <= kMaxJump) {
    const Verdict verdict = HoldPacket(packet, context);
    return verdict.IsNext() ? Accept(packet) : verdict;
  }
  if (RunLen(&call, packet->sequence) < kRunLen) {
    return Verdict::Drop(DropReason::sequence_jump);
  }
  if (call.reorder != 0) {
    ReleaseWith(packet, context);
    return Verdict::Hold();
  }
  return Accept(packet);
}

}  // namespace

// RFC 2637 s4.3. The number is taken here; whoever finds that the packet is not the peer's gives it
// back (GiveBackSequence).
Verdict SequenceStep(Packet& packet, WorkerContext& context) {
  Call& call = *packet.call;
  if (packet.has_ack && (call.features & kFeatureSendWindow) != 0) {
    context.calls->SendWindowOf(packet.call_index)
        .Acknowledged(packet.ack, call.more().send_sequence, context.now_ms);
  }
  if (!packet.has_sequence) {
    return Verdict::Consume();  // acknowledgement alone
  }
  if (packet.sequence - call.highest_received != 1 || call.has_received == 0) {
    return OutOfOrder(&packet, &context);
  }
  call.highest_received = packet.sequence;
  if (call.run_count != 0) {
    call.run_count = 0;
  }
  if (call.reorder != 0) {
    ReleaseFollowers(&call, &context);
  }
  return Verdict::Next();
}

void GiveBackSequence(const Packet& packet) {
  Call& call = *packet.call;
  if (call.has_sound == 0 || SequenceAfter(packet.sequence, call.last_sound)) {
    call.highest_received = call.last_sound;
    call.has_received = call.has_sound;
  }
}

}  // namespace culvert::dataplane
