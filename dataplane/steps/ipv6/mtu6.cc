#include <algorithm>

#include "dataplane/steps/downstream/mtu.h"
#include "dataplane/steps/ipv6/icmp6_error.h"
#include "dataplane/steps/ipv6/ipv6.h"

namespace culvert::dataplane {

// RFC 8200 s5: a router does not fragment; RFC 4443 s3.2. No sender goes below 1280 (RFC 8201 s4).
Verdict Mtu6Step(Packet& packet, WorkerContext& context) {
  constexpr uint16_t kLeast = 1280;
  const Call& call = *packet.call;
  const uint16_t mtu = std::min(call.mtu, std::max(MtuOf(call, context), kLeast));
  if (packet.ip.total_len > mtu) {
    SpawnIcmp6Error(packet, wire::icmp::PacketTooBigV6(mtu), &context);
    return Verdict::Drop(DropReason::inner_too_big);
  }
  return Verdict::Next();
}

}  // namespace culvert::dataplane
