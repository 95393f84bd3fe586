#include "dataplane/steps/steps.h"

namespace culvert::dataplane {
namespace {

// Packets that a burst of losses may take before we want to see that the jump is real.
constexpr int32_t kMaxJump = 1024;
// That many beyond the bound, each a little after the one before, move the anchor.
constexpr uint16_t kJumpConfirmations = 8;
constexpr uint32_t kMaxJumpStep = 64;

// One forged number far ahead would make all genuine ones late, so a jump has to be confirmed. The
// way out keeps a call alive after a long outage.
bool ConfirmsJump(Call* call, uint32_t sequence) {
  const uint32_t step = sequence - call->jump_sequence;
  const bool follows = call->jump_count > 0 && step >= 1 && step <= kMaxJumpStep;
  call->jump_sequence = sequence;
  call->jump_count = follows ? static_cast<uint16_t>(call->jump_count + 1) : 1;
  return call->jump_count >= kJumpConfirmations;
}

}  // namespace

// RFC 2637 s4.3. The number is taken here; whoever finds that the packet is not the peer's gives it
// back (GiveBackSequence).
Verdict SequenceStep(Packet& packet, WorkerContext& context) {
  if (!packet.has_sequence) {
    return Verdict::Consume();  // acknowledgement alone; there is no send window
  }
  Call& call = *packet.call;
  if (call.has_received == 0) {  // peers begin at 0, 1 or anything
    call.has_received = 1;
    call.highest_received = packet.sequence;
    return Verdict::Next();
  }
  const auto distance = static_cast<int32_t>(packet.sequence - call.highest_received);
  if (distance == 0) {
    return Verdict::Drop(DropReason::sequence_duplicate);
  }
  if (distance < 0) {
    return Verdict::Drop(DropReason::sequence_late);
  }
  if (distance > kMaxJump && !ConfirmsJump(&call, packet.sequence)) {
    return Verdict::Drop(DropReason::sequence_jump);
  }
  if (call.jump_count != 0) {
    call.jump_count = 0;
  }
  call.highest_received = packet.sequence;
  return Verdict::Next();
}

void GiveBackSequence(const Packet& packet) {
  Call& call = *packet.call;
  if (call.highest_received == packet.sequence) {
    call.highest_received = call.last_sound;
    call.has_received = call.has_sound;
  }
}

}  // namespace culvert::dataplane
