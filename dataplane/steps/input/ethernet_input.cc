#include "dataplane/steps/steps.h"
#include "proto/wire/byte_order.h"

namespace culvert::dataplane {

Verdict EthernetInputStep(Packet& packet, WorkerContext& context) {
  constexpr uint16_t kEtherTypeIpv4 = 0x0800;
  rte_mbuf* mbuf = packet.mbuf();
  if (mbuf->nb_segs != 1 && rte_pktmbuf_linearize(mbuf) != 0) {
    return Verdict::Drop(DropReason::frame_segments);
  }
  if (packet.data_len() < kEthernetHeaderLen) {
    return Verdict::Drop(DropReason::frame_truncated);
  }
  const uint8_t* frame = packet.data();
  const bool is_group = (frame[0] & 1) != 0;
  const MacAddress& own = context.ports[packet.port].mac;
  if (!is_group && std::memcmp(frame, own.data(), own.size()) != 0) {
    // A port without address filter sees them; forwarding them would duplicate other's traffic.
    return Verdict::Drop(DropReason::frame_other_host);
  }
  if (is_group || wire::LoadBe16(frame + 12) != kEtherTypeIpv4) {
    return Verdict::PuntPort();
  }
  return Verdict::Next();
}

}  // namespace culvert::dataplane
