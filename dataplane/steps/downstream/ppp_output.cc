#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// RFC 1661 s6.5, s6.6: the compressed forms when the peer has said that it takes them.
Verdict PppOutputStep(Packet& packet, WorkerContext& context) {
  uint8_t header[4];
  uint16_t len = 0;
  if (packet.call->send_acfc == 0) {
    header[len++] = 0xff;
    header[len++] = 0x03;
  }
  if (packet.call->send_pfc == 0) {
    header[len++] = 0x00;  // all data protocols are below 0x0100
  }
  header[len++] = static_cast<uint8_t>(packet.protocol);
  uint8_t* at = packet.Prepend(len);
  if (at == nullptr) {
    return Verdict::Drop(DropReason::headroom);
  }
  std::memcpy(at, header, len);
  packet.has_sequence = true;
  return Verdict::Next();
}

}  // namespace culvert::dataplane
