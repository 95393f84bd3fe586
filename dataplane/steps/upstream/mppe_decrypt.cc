#include "dataplane/mppe/receive.h"
#include "dataplane/steps/steps.h"

namespace culvert::dataplane {
namespace {

Verdict Decrypt(Packet& packet, WorkerContext& context) {
  MppeState& state = packet.call->receive;
  if (state.bits == 0) {
    GiveBackSequence(packet);
    return Verdict::Drop(DropReason::mppe_no_key);
  }
  const mppe::Opened opened =
      mppe::Open(*context.sha1, &state, packet.sequence, context.now_ms, packet.payload());
  if (opened.error != DropReason::kCount) {
    GiveBackSequence(packet);
    return Verdict::Drop(opened.error);
  }
  packet.encrypted = true;
  packet.protocol = opened.protocol;
  packet.offset = static_cast<uint16_t>(packet.offset + opened.information_offset);
  packet.length = static_cast<uint16_t>(packet.length - opened.information_offset);
  return Verdict::GoTo(Stage::kInner);
}

}  // namespace

// RFC 3078 s3, stateless mode.
void MppeDecryptBurst(std::span<rte_mbuf* const> mbufs, Verdict* verdicts, WorkerContext& context) {
  for (size_t i = 0; i < mbufs.size(); ++i) {
    verdicts[i] = Decrypt(PacketOf(mbufs[i]), context);
  }
}

}  // namespace culvert::dataplane
