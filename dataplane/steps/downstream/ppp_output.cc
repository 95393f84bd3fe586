#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// RFC 1661 s6.5, s6.6: the compressed forms when the peer has said that it takes them.
Verdict PppOutputStep(Packet& packet, WorkerContext& context) {
  const bool acfc = packet.call->more().send_acfc != 0;
  const bool pfc = packet.call->more().send_pfc != 0;
  const auto len = static_cast<uint16_t>((acfc ? 0 : 2) + (pfc ? 1 : 2));
  uint8_t* at = packet.Prepend(len);
  if (at == nullptr) {
    return Verdict::Drop(DropReason::headroom);
  }
  // No memcpy: for a length that is not known it starts slowly.
  if (!acfc) {
    at[0] = 0xff;
    at[1] = 0x03;
  }
  if (!pfc) {
    at[len - 2] = 0x00;  // all data protocols are below 0x0100
  }
  at[len - 1] = static_cast<uint8_t>(packet.protocol);
  packet.has_sequence = true;
  return Verdict::Next();
}

}  // namespace culvert::dataplane
