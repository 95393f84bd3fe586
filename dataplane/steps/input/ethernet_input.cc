#include "dataplane/steps/steps.h"
#include "proto/wire/byte_order.h"

namespace culvert::dataplane {
namespace {

constexpr uint16_t kTypeIpv4 = 0x0800;
constexpr uint16_t kTypeIpv6 = 0x86dd;
constexpr uint16_t kTypeVlan = 0x8100;     // IEEE 802.1Q
constexpr uint16_t kTypeService = 0x88a8;  // IEEE 802.1ad, the outer tag of two
constexpr uint16_t kVlanMask = 0x0fff;

uint16_t TypeOf(Packet* packet) { return wire::LoadBe16(packet->data() + 12); }

// The tag's 16 bits: taken off the frame by the device already, or here.
uint16_t TakeTag(Packet* packet) {
  if ((packet->mbuf()->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0) {
    return packet->mbuf()->vlan_tci;
  }
  uint8_t* frame = packet->data();
  const uint16_t tag = wire::LoadBe16(frame + kEthernetHeaderLen);
  std::memmove(frame + kVlanTagLen, frame, 2 * sizeof(MacAddress));
  rte_pktmbuf_adj(packet->mbuf(), kVlanTagLen);
  return tag;
}

// Untag gives a tagged frame to the port of its VLAN; after it the frame looks as if it had come
// untagged from there.
Verdict Untag(Packet* packet, WorkerContext* context) {
  const bool stripped = (packet->mbuf()->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0;
  if (!stripped && packet->data_len() < kEthernetHeaderLen + kVlanTagLen) {
    return Verdict::Drop(DropReason::frame_truncated);
  }
  const uint16_t port = context->port_table->OfVlan(packet->port, TakeTag(packet) & kVlanMask);
  if (port == PortTable::kNoPort) {
    return Verdict::Drop(DropReason::frame_vlan_unknown);
  }
  if (port != packet->port) {
    packet->port = port;
    PortCountersBlock& counters = context->port_counters[port];
    Add(&counters.rx_packets, 1);
    Add(&counters.rx_octets, packet->data_len());
  }
  return TypeOf(packet) == kTypeVlan ? Verdict::Drop(DropReason::frame_vlan_nested)
                                     : Verdict::Next();
}

}  // namespace

Verdict EthernetInputStep(Packet& packet, WorkerContext& context) {
  rte_mbuf* mbuf = packet.mbuf();
  if (mbuf->nb_segs != 1 && rte_pktmbuf_linearize(mbuf) != 0) {
    return Verdict::Drop(DropReason::frame_segments);
  }
  if (packet.data_len() < kEthernetHeaderLen) {
    return Verdict::Drop(DropReason::frame_truncated);
  }
  uint16_t type = TypeOf(&packet);
  const bool stripped = (mbuf->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0;
  if ((type != kTypeIpv4 && type == kTypeVlan) || stripped) {
    if (const Verdict verdict = Untag(&packet, &context); !verdict.IsNext()) {
      return verdict;
    }
    type = TypeOf(&packet);
  }
  const uint8_t* frame = packet.data();
  const bool is_group = (frame[0] & 1) != 0;
  const MacAddress& own = context.ports[packet.port].mac;
  if (!is_group && std::memcmp(frame, own.data(), own.size()) != 0) {
    // A port without address filter sees them; forwarding them would duplicate other's traffic.
    return Verdict::Drop(DropReason::frame_other_host);
  }
  if (is_group || type != kTypeIpv4) {
    if (!is_group && type == kTypeIpv6) {
      return Verdict::GoTo(Stage::kInput6);
    }
    return type == kTypeService ? Verdict::Drop(DropReason::frame_vlan_nested)
                                : Verdict::PuntPort();
  }
  return Verdict::Next();
}

}  // namespace culvert::dataplane
