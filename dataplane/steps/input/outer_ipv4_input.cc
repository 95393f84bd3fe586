#include "dataplane/steps/input/outer_fragment.h"
#include "dataplane/steps/input/outer_icmp.h"
#include "dataplane/steps/steps.h"
#include "proto/wire/gre.h"
#include "proto/wire/ip/icmp.h"

namespace culvert::dataplane {
namespace {

DropReason ReasonOf(wire::ip::Error error) {
  switch (error) {
    case wire::ip::Error::kTruncated:
      return DropReason::outer_ip_truncated;
    case wire::ip::Error::kBadVersion:
      return DropReason::outer_ip_version;
    case wire::ip::Error::kBadHeaderLen:
      return DropReason::outer_ip_header_len;
    case wire::ip::Error::kBadTotalLen:
      return DropReason::outer_ip_total_len;
    case wire::ip::Error::kBadChecksum:
      break;
  }
  return DropReason::outer_ip_checksum;
}

}  // namespace

// RFC 1812 s5.2.2. What is not GRE to an address that clients dial takes the road of every other
// packet: the forwarding table tells this machine's from other's.
Verdict OuterIpv4InputStep(Packet& packet, WorkerContext& context) {
  const wire::Octets octets{packet.data() + kEthernetHeaderLen,
                            static_cast<size_t>(packet.data_len() - kEthernetHeaderLen)};
  const bool good =
      context.ports[packet.port].rx_checksum &&
      (packet.mbuf()->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD;
  wire::ip::Ipv4Header* header = &packet.ip;
  if (const auto error = wire::ip::ReadIpv4(octets, good, header)) {
    return Verdict::Drop(ReasonOf(*error));
  }
  uint32_t slot = kNoSlot;
  if (header->protocol == wire::gre::kIpProtocol) {
    slot = context.calls->FindSlot(context.is_client ? header->source : header->destination);
  }
  if (header->protocol == wire::icmp::kProtocol && !header->IsFragment() &&
      context.calls->FindSlot(header->destination) != kNoSlot && LearnPathMtu(packet, &context)) {
    return Verdict::Consume();
  }
  if (slot == kNoSlot) {
    packet.Skip(kEthernetHeaderLen);
    return Verdict::GoTo(Stage::kRoute);
  }
  if (header->IsFragment()) {
    return OuterFragment(packet, slot, context);
  }
  packet.call_index = CallTable::Index(slot, 0);
  packet.offset = static_cast<uint16_t>(kEthernetHeaderLen + header->header_len);
  packet.length = static_cast<uint16_t>(header->total_len - header->header_len);
  return Verdict::Next();
}

}  // namespace culvert::dataplane
