#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// Inner packets that the call's own checks let through; RFC 2866 s5.3 counts octets received.
Verdict UpstreamAccountStep(Packet& packet, WorkerContext& context) {
  Call& call = *packet.call;
  Add(&call.upstream_packets, 1);
  Add(&call.upstream_octets, packet.ip.total_len);
  return context.from_calls;
}

}  // namespace culvert::dataplane
