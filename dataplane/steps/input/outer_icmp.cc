#include "dataplane/steps/input/outer_icmp.h"

#include "proto/wire/gre.h"
#include "proto/wire/ip/icmp.h"

namespace culvert::dataplane {
namespace {

// Plateau is a guess for routers older than RFC 1191 (s7): the next common MTU below.
uint16_t Plateau(uint16_t total_len) {
  for (const uint16_t mtu : {8166, 4352, 2002, 1492, 1400, 1280, 1006}) {
    if (mtu < total_len) {
      return mtu;
    }
  }
  return PathMtuTable::kFloor;
}

}  // namespace

// RFC 1191 s6.1; RFC 2637 s4.1 for what is quoted. The call id in it is one that a forger has to
// know, for each call that he wants to harm.
bool LearnPathMtu(Packet& packet, WorkerContext* context) {
  constexpr size_t kGreLen = 8;  // as much as routers must quote
  const wire::Octets icmp{packet.data() + kEthernetHeaderLen + packet.ip.header_len,
                          static_cast<size_t>(packet.ip.total_len - packet.ip.header_len)};
  const auto quoted = wire::icmp::Parse(icmp);
  if (!quoted || quoted->message.type != wire::icmp::FragmentationNeeded(0).type ||
      quoted->message.code != wire::icmp::FragmentationNeeded(0).code ||
      quoted->protocol != wire::gre::kIpProtocol || quoted->source != packet.ip.destination ||
      quoted->payload.size() < kGreLen) {
    return false;
  }
  const uint32_t told = quoted->message.mtu;
  const uint16_t mtu = told == 0 ? Plateau(quoted->total_len) : static_cast<uint16_t>(told);
  if (mtu < quoted->total_len) {
    const uint16_t peer_call_id = wire::LoadBe16(&quoted->payload[6]);
    context->path_mtus->Learn({quoted->source, quoted->destination, peer_call_id}, mtu,
                              context->now_ms);
  }
  return true;
}

}  // namespace culvert::dataplane
