#include "dataplane/mppe/send.h"
#include "dataplane/steps/steps.h"
#include "proto/wire/ppp.h"

namespace culvert::dataplane {

namespace {

Verdict Encrypt(Packet& packet, WorkerContext& context) {
  MppeState& state = packet.call->send;
  uint8_t* protocol = packet.Prepend(2);
  if (protocol == nullptr) {
    return Verdict::Drop(DropReason::headroom);
  }
  wire::StoreBe16(protocol, packet.protocol);
  const uint16_t header = mppe::Seal(*context.sha1, &state, {packet.data(), packet.data_len()});
  uint8_t* at = packet.Prepend(2);
  if (at == nullptr) {
    return Verdict::Drop(DropReason::headroom);
  }
  wire::StoreBe16(at, header);
  packet.protocol = wire::ppp::kMppe;
  return Verdict::GoTo(Stage::kFrameOut);
}

}  // namespace

// RFC 3078 s3, stateless mode. The inner protocol field has both octets, as every receiver takes.
void MppeEncryptBurst(std::span<rte_mbuf* const> mbufs, Verdict* verdicts, WorkerContext& context) {
  for (size_t i = 0; i < mbufs.size(); ++i) {
    verdicts[i] = Encrypt(PacketOf(mbufs[i]), context);
  }
}

}  // namespace culvert::dataplane
