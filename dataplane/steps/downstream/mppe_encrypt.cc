#include "dataplane/mppe/send.h"
#include "dataplane/steps/steps.h"
#include "proto/wire/ppp.h"

namespace culvert::dataplane {

// RFC 3078 s3, stateless mode. The inner protocol field has both octets, as every receiver takes.
Verdict MppeEncryptStep(Packet& packet, WorkerContext& context) {
  packet.protocol = wire::ppp::kIpv4;
  MppeState& state = packet.call->send;
  if (state.bits == 0) {
    return Verdict::Next();
  }
  uint8_t* protocol = packet.Prepend(2);
  if (protocol == nullptr) {
    return Verdict::Drop(DropReason::headroom);
  }
  wire::StoreBe16(protocol, wire::ppp::kIpv4);
  const uint16_t header = mppe::Seal(*context.sha1, &state, {packet.data(), packet.data_len()});
  uint8_t* at = packet.Prepend(2);
  if (at == nullptr) {
    return Verdict::Drop(DropReason::headroom);
  }
  wire::StoreBe16(at, header);
  packet.protocol = wire::ppp::kMppe;
  return Verdict::Next();
}

}  // namespace culvert::dataplane
