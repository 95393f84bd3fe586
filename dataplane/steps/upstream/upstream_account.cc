#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// Inner packets that the call's own checks let through; RFC 2866 s5.3 counts octets received.
Verdict UpstreamAccountStep(Packet& packet, WorkerContext& context) {
  CallCountersBlock& counters = packet.call->counters;
  Add(&counters.upstream_packets, 1);
  Add(&counters.upstream_octets, packet.ip.total_len);
  return Verdict::GoTo(Stage::kRoute);
}

}  // namespace culvert::dataplane
