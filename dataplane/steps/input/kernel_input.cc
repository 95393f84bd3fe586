#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// A packet that the kernel sent into the TUN, after inner_ipv4.
Verdict KernelInputStep(Packet& packet, WorkerContext& context) {
  packet.from_kernel = true;
  return Verdict::GoTo(Stage::kRoute);
}

}  // namespace culvert::dataplane
