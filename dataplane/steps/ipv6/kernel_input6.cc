#include "dataplane/steps/ipv6/ipv6.h"

namespace culvert::dataplane {

// A packet that the kernel sent into the TUN, after inner_ipv6.
Verdict KernelInput6Step(Packet& packet, WorkerContext& context) {
  packet.from_kernel = true;
  return Verdict::GoTo(Stage::kRoute6);
}

}  // namespace culvert::dataplane
