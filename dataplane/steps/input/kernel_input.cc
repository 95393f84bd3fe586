#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// A packet that the kernel sent into the TUN, or a client's owner into a call, after inner_ipv4.
Verdict KernelInputStep(Packet& packet, WorkerContext& context) {
  packet.from_kernel = true;
  if (packet.generation != 0) {
    packet.downstream = true;
    return Verdict::GoTo(Stage::kDownstream);
  }
  return Verdict::GoTo(Stage::kRoute);
}

}  // namespace culvert::dataplane
