#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// RFC 2827 (BCP 38): a client sends from the address that it was given, or from a network that is
// routed to it. A client takes what is for the address that it was given.
Verdict AntiSpoofStep(Packet& packet, WorkerContext& context) {
  if (packet.ip.source != packet.call->client_address &&
      !(context.is_client && packet.ip.destination == packet.call->client_address) &&
      !context.prefixes->Covers(packet.call_index, packet.ip.source)) {
    return Verdict::Drop(DropReason::source_spoofed);
  }
  return Verdict::Next();
}

}  // namespace culvert::dataplane
