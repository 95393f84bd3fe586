#include "dataplane/steps/steps.h"
#include "proto/wire/ppp.h"

namespace culvert::dataplane {
namespace {

// IPv6 that the control plane says on a call's link goes the way of data (RFC 3078 s3).
Verdict SendIpv6(Packet* packet) {
  const Call& call = *packet->call;
  if (call.require_encryption != 0 && call.encrypts == 0) {
    return Verdict::Drop(DropReason::encryption_missing);
  }
  packet->Skip(2);
  packet->protocol = wire::ppp::kIpv6;
  return Verdict::GoTo(call.encrypts != 0 ? Stage::kEncrypt : Stage::kFrameOut);
}

}  // namespace

// A frame of the control plane, from its protocol field on. RFC 1661 s6.6: LCP frames always carry
// address and control; the others lose nothing by it.
Verdict ControlFrameStep(Packet& packet, WorkerContext& context) {
  Call& call = context.calls->At(packet.call_index);
  if (Load(call.generation) != packet.generation || Load(call.owner) != context.worker) {
    return Verdict::Drop(DropReason::call_stale);
  }
  packet.call = &call;
  packet.downstream = true;
  if (packet.data_len() >= 2 && wire::LoadBe16(packet.data()) == wire::ppp::kIpv6) {
    return SendIpv6(&packet);
  }
  uint8_t* at = packet.Prepend(2);
  if (at == nullptr) {
    return Verdict::Drop(DropReason::headroom);
  }
  at[0] = 0xff;
  at[1] = 0x03;
  packet.has_sequence = true;
  return Verdict::GoTo(Stage::kTunnel);
}

}  // namespace culvert::dataplane
