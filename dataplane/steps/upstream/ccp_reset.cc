#include "dataplane/steps/downstream/ccp_reset_frame.h"
#include "dataplane/steps/steps.h"
#include "proto/wire/ppp.h"

namespace culvert::dataplane {

// RFC 1962 s3, RFC 3078 s8.2. The peer of a stateful call that has lost frames wants the keystream
// shown anew; it gets its Reset-Ack, which Linux waits for, before that. A stateless call's
// frames each show it, so the answer is all. Reset-Acks need nothing: flushed frames say the same.
Verdict CcpResetStep(Packet& packet, WorkerContext& context) {
  Call& call = *packet.call;
  if (packet.protocol != wire::ppp::kCcp || (call.decrypts == 0 && call.encrypts == 0)) {
    return Verdict::Next();
  }
  const auto control = wire::ppp::ParseControl(packet.payload());
  if (!control) {
    return Verdict::Next();
  }
  if (control->code == wire::ppp::kResetRequest) {
    if (call.send().stateful != 0) {
      mppe::Sender::AskForFlush(context.round(), context.mppe->table->Send(packet.call_index));
    }
    SpawnCcpReset(wire::ppp::kResetAck, control->identifier, &packet, &context);
    return Verdict::Consume();
  }
  return control->code == wire::ppp::kResetAck ? Verdict::Consume() : Verdict::Next();
}

}  // namespace culvert::dataplane
