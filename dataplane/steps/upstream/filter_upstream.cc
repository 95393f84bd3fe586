#include <rte_prefetch.h>

#include "dataplane/filter/judge_burst.h"
#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// Packets of calls with a filter gather, so that they are judged together.
Verdict FilterUpstreamStep(Packet& packet, WorkerContext& context) {
  if ((packet.call->features & kFeatureFilter) == 0) {
    return Verdict::Next();
  }
  rte_prefetch0(&packet.call->more());
  return Verdict::GoTo(Stage::kFilterUpstream);
}

// RFC 6733 s4.3.1.
void FilterUpstreamBurst(std::span<rte_mbuf* const> mbufs, Verdict* verdicts,
                         WorkerContext& context) {
  JudgeBurst(mbufs,
             {.upstream = true,
              .permitted = Stage::kUpstreamPermitted,
              .permitted6 = Stage::kUpstreamPermitted6,
              .filtered = DropReason::filtered_upstream},
             verdicts, context);
}

}  // namespace culvert::dataplane
