#include "dataplane/steps/steps.h"
#include "proto/wire/ppp.h"

namespace culvert::dataplane {
namespace {

Verdict Plan(Packet& packet, WorkerContext* context) {
  MppeState& state = packet.call->send();
  if (!mppe::Sender::MayPlan(context->now_ms, &state)) {
    return Verdict::Drop(DropReason::mppe_cannot_leave);
  }
  uint8_t* at = packet.Prepend(4);
  if (at == nullptr) {
    return Verdict::Drop(DropReason::headroom);
  }
  wire::StoreBe16(at + 2, packet.protocol);
  const auto text = std::span(packet.data(), packet.data_len()).subspan(2);
  mppe::Sender& sender = context->mppe->sender;
  const uint16_t header =
      state.stateful == 0
          ? sender.Plan(&state, text)
          : sender.PlanStateful(&state, context->mppe->table->Send(packet.call_index),
                                context->round(), text);
  wire::StoreBe16(at, header);
  packet.protocol = wire::ppp::kMppe;
  return Verdict::GoTo(Stage::kFrameOut);
}

}  // namespace

// RFC 3078 s3. The inner protocol field has both octets, as every receiver takes.
void MppeEncryptBurst(std::span<rte_mbuf* const> mbufs, Verdict* verdicts, WorkerContext& context) {
  for (size_t i = 0; i < mbufs.size(); ++i) {
    verdicts[i] = Plan(PacketOf(mbufs[i]), &context);
  }
  context.mppe->sender.Run();
}

}  // namespace culvert::dataplane
