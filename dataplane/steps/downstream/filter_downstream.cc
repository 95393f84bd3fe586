#include "dataplane/filter/judge_burst.h"
#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// As filter_upstream; before the packet is cut, since its fragments tell less than it does.
Verdict FilterDownstreamStep(Packet& packet, WorkerContext& context) {
  return (packet.call->features & kFeatureFilter) == 0 ? Verdict::Next()
                                                       : Verdict::GoTo(Stage::kFilterDownstream);
}

// RFC 6733 s4.3.1.
void FilterDownstreamBurst(std::span<rte_mbuf* const> mbufs, Verdict* verdicts,
                           WorkerContext& context) {
  JudgeBurst(mbufs,
             {.upstream = false,
              .permitted = Stage::kDownstreamPermitted,
              .permitted6 = Stage::kDownstreamPermitted6,
              .filtered = DropReason::filtered_downstream},
             verdicts, context);
}

}  // namespace culvert::dataplane
