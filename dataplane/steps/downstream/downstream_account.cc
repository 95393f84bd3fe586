#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

Verdict DownstreamAccountStep(Packet& packet, WorkerContext& context) {
  CallCountersBlock& counters = packet.call->counters;
  Add(&counters.downstream_packets, 1);
  Add(&counters.downstream_octets, packet.ip.total_len);
  return Verdict::Next();
}

}  // namespace culvert::dataplane
