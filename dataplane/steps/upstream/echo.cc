#include "dataplane/steps/steps.h"
#include "dataplane/steps/upstream/punt_bucket.h"
#include "proto/wire/ppp.h"

namespace culvert::dataplane {
namespace {

constexpr size_t kHeaderLen = 4;  // code, identifier, length
constexpr size_t kMagicLen = 4;

// Answer turns the request into its reply, in place: our magic number for the peer's. What lies
// before the information was a GRE header and the protocol field.
Verdict Answer(Packet* packet, uint16_t len, uint32_t magic, const WorkerContext& context) {
  if (!TakePuntToken(packet->call, context)) {
    return Verdict::Drop(DropReason::punt_rate);
  }
  constexpr uint16_t kProtocolLen = 2;
  uint8_t* at = packet->payload().data();
  at[0] = wire::ppp::kEchoReply;
  wire::StoreBe32(at + kHeaderLen, magic);
  wire::StoreBe16(at - kProtocolLen, wire::ppp::kLcp);
  rte_mbuf* mbuf = packet->mbuf();
  rte_pktmbuf_adj(mbuf, static_cast<uint16_t>(packet->offset - kProtocolLen));
  rte_pktmbuf_trim(mbuf, static_cast<uint16_t>(packet->data_len() - kProtocolLen - len));
  packet->generation = packet->call->generation;
  return Verdict::GoTo(Stage::kControl);
}

}  // namespace

// RFC 1661 s5.8: the worker answers for calls whose keepalive it has. What is no sound echo goes on
// to the control plane as without it.
Verdict EchoStep(Packet& packet, WorkerContext& context) {
  if (packet.protocol != wire::ppp::kLcp || (packet.call->features & kFeatureKeepalive) == 0) {
    return Verdict::Next();
  }
  const auto payload = packet.payload();
  if (payload.size() < kHeaderLen + kMagicLen) {
    return Verdict::Next();
  }
  const uint8_t code = payload[0];
  const uint16_t len = wire::LoadBe16(&payload[2]);
  if ((code != wire::ppp::kEchoRequest && code != wire::ppp::kEchoReply) ||
      len < kHeaderLen + kMagicLen || len > payload.size()) {
    return Verdict::Next();
  }
  CallWatch& watch = context.calls->WatchOf(packet.call_index);
  const uint32_t magic = wire::LoadBe32(&payload[kHeaderLen]);
  if (watch.magic != 0 && magic == watch.magic) {
    return Verdict::Drop(DropReason::echo_looped_back);  // RFC 1661 s6.4
  }
  if (code == wire::ppp::kEchoRequest) {
    return Answer(&packet, len, watch.magic, context);
  }
  watch.heard_reply = 1;
  return Verdict::Consume();
}

}  // namespace culvert::dataplane
