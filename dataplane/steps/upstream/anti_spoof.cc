#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// RFC 2827 (BCP 38): a client sends from the address that it was given.
Verdict AntiSpoofStep(Packet& packet, WorkerContext& context) {
  if (packet.ip.source != packet.call->client_address) {
    return Verdict::Drop(DropReason::source_spoofed);
  }
  return Verdict::Next();
}

}  // namespace culvert::dataplane
