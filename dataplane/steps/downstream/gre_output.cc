#include "dataplane/steps/steps.h"
#include "proto/wire/gre.h"

namespace culvert::dataplane {

// RFC 2637 s4.1, s4.3: a payload takes the next number; what was received and not acknowledged yet
// is acknowledged along with it. has_sequence false: an acknowledgement alone.
Verdict GreOutputStep(Packet& packet, WorkerContext& context) {
  Call& call = *packet.call;
  wire::gre::Header header;
  header.payload_len = packet.data_len();
  header.call_id = call.peer_call_id;
  header.has_sequence = packet.has_sequence;
  header.has_ack = call.ack_due != 0;
  header.ack = call.last_sound;
  if (header.has_sequence) {  // else the call's other lines stay where they are
    header.sequence = call.more().send_sequence;
  }
  uint8_t* at = packet.Prepend(static_cast<uint16_t>(wire::gre::HeaderLen(header)));
  if (at == nullptr) {
    return Verdict::Drop(DropReason::headroom);
  }
  wire::gre::Emit(header, at);
  if (header.has_sequence) {
    ++call.more().send_sequence;
  }
  call.ack_due = 0;
  call.unacknowledged = 0;
  return Verdict::Next();
}

}  // namespace culvert::dataplane
