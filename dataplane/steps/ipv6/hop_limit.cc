#include "dataplane/steps/ipv6/ipv6.h"

namespace culvert::dataplane {

// RFC 8200 s3; as ttl.
Verdict HopLimitStep(Packet& packet, WorkerContext& context) {
  constexpr size_t kOffset = 7;
  if (packet.from_kernel) {
    return Verdict::Next();
  }
  if (packet.ip.ttl <= 1) {
    return Verdict::Drop(DropReason::ttl_exceeded);
  }
  packet.data()[kOffset] = --packet.ip.ttl;
  return Verdict::Next();
}

}  // namespace culvert::dataplane
