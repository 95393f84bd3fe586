#include "dataplane/ip/icmp_error.h"
#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// RFC 1812 s5.3.1, once on each way through; for packets out of the kernel it was the kernel's
// turn.
Verdict TtlStep(Packet& packet, WorkerContext& context) {
  if (packet.from_kernel) {
    return Verdict::Next();
  }
  if (packet.ip.ttl <= 1) {
    SpawnIcmpError(packet, wire::icmp::kTimeExceeded, &context);
    return Verdict::Drop(DropReason::ttl_exceeded);
  }
  wire::ip::DecrementTtl(packet.data());
  --packet.ip.ttl;
  return Verdict::Next();
}

}  // namespace culvert::dataplane
