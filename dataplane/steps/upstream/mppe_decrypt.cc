#include "dataplane/mppe/receive.h"
#include "dataplane/steps/steps.h"

namespace culvert::dataplane {
namespace {

Verdict Refuse(const Packet& packet, DropReason reason) {
  GiveBackSequence(packet);
  return Verdict::Drop(reason);
}

Verdict Finish(const mppe::Opened& opened, Packet* packet) {
  if (opened.error != DropReason::kCount) {
    return Refuse(*packet, opened.error);
  }
  packet->encrypted = true;
  packet->protocol = opened.protocol;
  packet->offset = static_cast<uint16_t>(packet->offset + opened.information_offset);
  packet->length = static_cast<uint16_t>(packet->length - opened.information_offset);
  return Verdict::GoTo(Stage::kInner);
}

}  // namespace

// RFC 3078 s3, stateless mode.
void MppeDecryptBurst(std::span<rte_mbuf* const> mbufs, Verdict* verdicts, WorkerContext& context) {
  mppe::Receiver& receiver = context.mppe->receiver;
  uint8_t planned[mppe::Receiver::kMaxFrames];
  unsigned num_planned = 0;
  for (size_t i = 0; i < mbufs.size(); ++i) {
    Packet& packet = PacketOf(mbufs[i]);
    MppeState& state = packet.call->receive;
    const DropReason reason =
        state.bits == 0
            ? DropReason::mppe_no_key
            : receiver.Plan(&state, packet.sequence, context.now_ms, packet.payload());
    if (reason == DropReason::kCount) {
      planned[num_planned++] = static_cast<uint8_t>(i);
    } else {
      verdicts[i] = Refuse(packet, reason);
    }
  }
  receiver.Run(context.mppe->engine.get());
  for (unsigned i = 0; i < num_planned; ++i) {
    verdicts[planned[i]] = Finish(receiver.Open(), &PacketOf(mbufs[planned[i]]));
  }
}

}  // namespace culvert::dataplane
