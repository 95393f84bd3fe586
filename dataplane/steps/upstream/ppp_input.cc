#include "dataplane/steps/steps.h"
#include "proto/wire/ppp.h"

namespace culvert::dataplane {
namespace {

// InClear: frames of a call that decrypts wait for those before them.
Verdict InClear(const Call& call) {
  return call.decrypts != 0 ? Verdict::GoTo(Stage::kInner) : Verdict::Next();
}

}  // namespace

// The number of a malformed frame stays taken: nobody but the peer knows it.
// RFC 1661 s2, s6.5, s6.6: every compressed form is taken, whatever was negotiated.
Verdict PppInputStep(Packet& packet, WorkerContext& context) {
  if (packet.length == 0) {
    packet.protocol = 0;  // a sequence number without payload
    return InClear(*packet.call);
  }
  const auto frame = wire::ppp::ParseFrame(packet.payload());
  if (!frame) {
    return Verdict::Drop(frame.error() == wire::ppp::Error::kTruncated ? DropReason::ppp_truncated
                                                                       : DropReason::ppp_protocol);
  }
  packet.protocol = frame->protocol;
  packet.offset = static_cast<uint16_t>(packet.offset + packet.length - frame->information.size());
  packet.length = static_cast<uint16_t>(frame->information.size());
  return packet.protocol == wire::ppp::kMppe ? Verdict::GoTo(Stage::kDecrypt)
                                             : InClear(*packet.call);
}

}  // namespace culvert::dataplane
