#include "dataplane/steps/ipv6/icmp6_error.h"
#include "dataplane/steps/ipv6/ipv6.h"

namespace culvert::dataplane {

// RFC 8200 s3, RFC 4443 s3.3; as ttl.
Verdict HopLimitStep(Packet& packet, WorkerContext& context) {
  constexpr size_t kOffset = 7;
  if (packet.from_kernel) {
    return Verdict::Next();
  }
  if (packet.ip.ttl <= 1) {
    SpawnIcmp6Error(packet, wire::icmp::kTimeExceededV6, &context);
    return Verdict::Drop(DropReason::ttl_exceeded);
  }
  packet.data()[kOffset] = --packet.ip.ttl;
  return Verdict::Next();
}

}  // namespace culvert::dataplane
