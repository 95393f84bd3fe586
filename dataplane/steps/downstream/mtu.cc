#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// The client's MRU and the outer path bound what a call takes. Fragmentation of inner packets and
// the ICMP error (RFC 1812 s4.2.2.7, RFC 1191) are missing: what is too big is dropped.
Verdict MtuStep(Packet& packet, WorkerContext& context) {
  if (packet.ip.total_len > packet.call->mtu) {
    return Verdict::Drop(DropReason::inner_too_big);
  }
  return Verdict::Next();
}

}  // namespace culvert::dataplane
