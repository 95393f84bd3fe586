#include "dataplane/steps/ipv6/icmp6_error.h"
#include "dataplane/steps/ipv6/ipv6.h"

namespace culvert::dataplane {

// RFC 8200 s5: a router does not fragment; RFC 4443 s3.2.
Verdict Mtu6Step(Packet& packet, WorkerContext& context) {
  if (packet.ip.total_len > packet.call->mtu) {
    SpawnIcmp6Error(packet, wire::icmp::PacketTooBigV6(packet.call->mtu), &context);
    return Verdict::Drop(DropReason::inner_too_big);
  }
  return Verdict::Next();
}

}  // namespace culvert::dataplane
