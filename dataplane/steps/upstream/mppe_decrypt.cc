#include "dataplane/mppe/receive.h"
#include "dataplane/steps/steps.h"
#include "proto/wire/ppp.h"

namespace culvert::dataplane {

// RFC 3078 s3, stateless mode.
Verdict MppeDecryptStep(Packet& packet, WorkerContext& context) {
  if (packet.protocol != wire::ppp::kMppe) {
    return Verdict::Next();
  }
  MppeState& state = packet.call->receive;
  if (state.bits == 0) {
    return Verdict::Drop(DropReason::mppe_no_key);
  }
  const mppe::Opened opened =
      mppe::Open(*context.sha1, &state, packet.sequence, context.now_ms, packet.payload());
  if (opened.error != DropReason::kCount) {
    return Verdict::Drop(opened.error);
  }
  packet.encrypted = true;
  packet.protocol = opened.protocol;
  packet.offset = static_cast<uint16_t>(packet.offset + opened.information_offset);
  packet.length = static_cast<uint16_t>(packet.length - opened.information_offset);
  return Verdict::Next();
}

}  // namespace culvert::dataplane
