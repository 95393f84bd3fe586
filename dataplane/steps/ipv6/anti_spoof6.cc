#include "dataplane/steps/ipv6/ipv6.h"

namespace culvert::dataplane {

// RFC 2827 (BCP 38): a client sends from its prefix, or from a network that is routed to it.
Verdict AntiSpoof6Step(Packet& packet, WorkerContext& context) {
  if (!context.prefixes->Covers(packet.call_index, NumberOf(Ipv6Source(packet)))) {
    return Verdict::Drop(DropReason::source_spoofed);
  }
  return Verdict::Next();
}

}  // namespace culvert::dataplane
