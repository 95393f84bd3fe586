#include "dataplane/steps/ipv6/ipv6.h"

namespace culvert::dataplane {

// RFC 8200 s5: a router does not fragment.
Verdict Mtu6Step(Packet& packet, WorkerContext& context) {
  if (packet.ip.total_len > packet.call->mtu) {
    return Verdict::Drop(DropReason::inner_too_big);
  }
  return Verdict::Next();
}

}  // namespace culvert::dataplane
