#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// The end of transit: the packet leaves as it is.
Verdict ToEthernetStep(Packet& packet, WorkerContext& context) {
  return Verdict::GoTo(Stage::kEthernet);
}

}  // namespace culvert::dataplane
