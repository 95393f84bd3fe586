#include "dataplane/mppe/send.h"
#include "dataplane/steps/steps.h"
#include "proto/wire/ppp.h"

namespace culvert::dataplane {
namespace {

Verdict Plan(Packet& packet, mppe::Sender* sender) {
  uint8_t* at = packet.Prepend(4);
  if (at == nullptr) {
    return Verdict::Drop(DropReason::headroom);
  }
  wire::StoreBe16(at + 2, packet.protocol);
  const auto text = std::span(packet.data(), packet.data_len()).subspan(2);
  wire::StoreBe16(at, sender->Plan(&packet.call->send, text));
  packet.protocol = wire::ppp::kMppe;
  return Verdict::GoTo(Stage::kFrameOut);
}

}  // namespace

// RFC 3078 s3, stateless mode. The inner protocol field has both octets, as every receiver takes.
void MppeEncryptBurst(std::span<rte_mbuf* const> mbufs, Verdict* verdicts, WorkerContext& context) {
  mppe::Sender& sender = context.mppe->sender;
  for (size_t i = 0; i < mbufs.size(); ++i) {
    verdicts[i] = Plan(PacketOf(mbufs[i]), &sender);
  }
  sender.Run(context.mppe->engine.get());
}

}  // namespace culvert::dataplane
