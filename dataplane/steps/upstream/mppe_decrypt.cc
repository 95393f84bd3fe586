#include "dataplane/mppe/receive/failures.h"
#include "dataplane/steps/downstream/ccp_reset_frame.h"
#include "dataplane/steps/steps.h"

namespace culvert::dataplane {
namespace {

constexpr uint32_t kMaxJump = 1024;  // as in the sequence step

Verdict Refuse(Packet* packet, DropReason reason, WorkerContext* context) {
  if (reason != DropReason::mppe_out_of_step) {  // after a jump each number would be one anew
    GiveBackSequence(*packet);
  }
  MppeState& state = packet->call->receive();
  mppe::CountFailure(reason, context->now_ms, &state);
  if (mppe::HasFailed(state, context->now_ms) &&
      context->events.Report(MakeHandle(packet->call->generation, packet->call_index),
                             CallEvent::Kind::kMppeFailed)) {
    state.failures = 0;  // to be told again, should it go on
  }
  return Verdict::Drop(reason);
}

Verdict Finish(const mppe::Opened& opened, Packet* packet, WorkerContext* context) {
  if (opened.error != DropReason::kCount) {
    return Refuse(packet, opened.error, context);
  }
  packet->call->receive().failures = 0;
  packet->encrypted = true;
  packet->protocol = opened.protocol;
  packet->offset = static_cast<uint16_t>(packet->offset + opened.information_offset);
  packet->length = static_cast<uint16_t>(packet->length - opened.information_offset);
  return Verdict::GoTo(Stage::kInner);
}

// Hold keeps a frame whose key takes longer. Its number is given back meanwhile, for it may be
// forged and far ahead of the client's own; a jump that has been confirmed stays.
Verdict Hold(Packet* packet, uint32_t position, WorkerContext* context) {
  if (!context->mppe->catch_ups.Hold(packet->call->receive(), position, packet->mbuf())) {
    return Refuse(packet, DropReason::mppe_catch_up, context);
  }
  if (packet->sequence - packet->call->last_sound <= kMaxJump) {
    GiveBackSequence(*packet);
  }
  return Verdict::Hold();
}

mppe::Arrival ArrivalOf(Packet& packet, const WorkerContext& context) {
  return {&packet.call->receive(), packet.sequence, context.now_ms, packet.payload()};
}

// Indices of packets of the burst.
struct Indices {
  uint8_t values[mppe::Receiver::kMaxFrames];
  unsigned num = 0;
  void Add(size_t i) { values[num++] = static_cast<uint8_t>(i); }
};

Verdict RefuseStateful(Packet* packet, DropReason reason, WorkerContext* context) {
  const Verdict verdict = Refuse(packet, reason, context);
  mppe::StatefulRow* row = context->mppe->table->Receive(packet->call_index);
  if (mppe::StatefulReceiver::NeedsReset(reason, packet->call->receive(), context->now_ms, row)) {
    SpawnCcpReset(wire::ppp::kResetRequest, row->reset_id, packet, context);
  }
  return verdict;
}

// DecryptStateful takes one frame of each call, then the next one of each, and so on.
void DecryptStateful(std::span<rte_mbuf* const> mbufs, Indices waiting, Verdict* verdicts,
                     WorkerContext* context) {
  mppe::StatefulReceiver& receiver = context->mppe->stateful_receiver;
  while (waiting.num > 0) {
    Indices planned;
    Indices later;
    for (unsigned n = 0; n < waiting.num; ++n) {
      const uint8_t i = waiting.values[n];
      Packet& packet = PacketOf(mbufs[i]);
      if (!mppe::StatefulReceiver::CanPlan(packet.call->receive())) {
        later.Add(i);
        continue;
      }
      const DropReason reason = receiver.Plan(ArrivalOf(packet, *context),
                                              context->mppe->table->Receive(packet.call_index));
      if (reason == DropReason::kCount) {
        planned.Add(i);
      } else {
        verdicts[i] = RefuseStateful(&packet, reason, context);
      }
    }
    receiver.Run();
    for (unsigned n = 0; n < planned.num; ++n) {
      Packet& packet = PacketOf(mbufs[planned.values[n]]);
      const mppe::Opened opened = receiver.Open();
      verdicts[planned.values[n]] = opened.error == DropReason::kCount
                                        ? Finish(opened, &packet, context)
                                        : RefuseStateful(&packet, opened.error, context);
    }
    waiting = later;
  }
}

}  // namespace

// RFC 3078 s3. What goes wrong ends here by its name and never ends the call.
void MppeDecryptBurst(std::span<rte_mbuf* const> mbufs, Verdict* verdicts, WorkerContext& context) {
  mppe::Receiver& receiver = context.mppe->receiver;
  Indices planned;
  Indices stateful;
  for (size_t i = 0; i < mbufs.size(); ++i) {
    Packet& packet = PacketOf(mbufs[i]);
    const MppeState& state = packet.call->receive();
    if (state.bits == 0) {
      verdicts[i] = Refuse(&packet, DropReason::mppe_no_key, &context);
    } else if (state.stateful != 0) {
      stateful.Add(i);
    } else if (const auto plan = receiver.Plan(ArrivalOf(packet, context));
               plan.error == DropReason::kCount) {
      planned.Add(i);
    } else {
      verdicts[i] = plan.error == DropReason::mppe_catch_up ? Hold(&packet, plan.position, &context)
                                                            : Refuse(&packet, plan.error, &context);
    }
  }
  receiver.Run();
  for (unsigned n = 0; n < planned.num; ++n) {
    const uint8_t i = planned.values[n];
    verdicts[i] = Finish(receiver.Open(), &PacketOf(mbufs[i]), &context);
  }
  if (stateful.num > 0) {
    DecryptStateful(mbufs, stateful, verdicts, &context);
  }
}

}  // namespace culvert::dataplane
