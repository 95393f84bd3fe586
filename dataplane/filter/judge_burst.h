// What the two burst steps that filter have in common.
#pragma once

#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// FilterDirection: how packets of a direction are judged, and where they go then.
struct FilterDirection {
  bool upstream;
  Stage permitted, permitted6;
  DropReason filtered;
};

// JudgeBurst gives a verdict for each packet of calls with filters; mbufs begin at the IP header.
void JudgeBurst(std::span<rte_mbuf* const> mbufs, const FilterDirection& direction,
                Verdict* verdicts, const WorkerContext& context);

}  // namespace culvert::dataplane
