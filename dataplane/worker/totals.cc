// What the control side reads of a worker.
#include <rte_cycles.h>

#include "dataplane/worker/worker.h"

namespace culvert::dataplane {
namespace {

RoundTotals TotalsOf(const RoundTimes& rounds) {
  const uint64_t ticks_per_us = rte_get_tsc_hz() / 1000000;
  RoundTotals totals;
  for (const uint64_t& count : rounds.counts) {
    totals.counts.push_back(Load(count));
  }
  totals.total_us = Load(rounds.ticks) / ticks_per_us;
  totals.longest_us = Load(rounds.longest_ticks) / ticks_per_us;
  return totals;
}

}  // namespace

WorkerTotals Worker::Totals() const {
  WorkerTotals totals;
  totals.received = Load(counters_.received);
  totals.transmitted = Load(counters_.transmitted);
  totals.punted = Load(counters_.punted);
  totals.handed_over = Load(counters_.handed_over);
  totals.icmp_errors = Load(counters_.icmp_errors);
  totals.icmp_suppressed = Load(counters_.icmp_suppressed);
  totals.consumed = Load(counters_.consumed);
  totals.events_depth = context_.events.depth();
  totals.hand_over_depth = HandOverDepth();
  totals.punted_depth = PuntedDepth();
  totals.rounds = TotalsOf(counters_.rounds);
  for (unsigned stage = 0; stage < kNumStages; ++stage) {
    totals.stages.push_back({StepsOf(static_cast<Stage>(stage)).name,
                             Load(counters_.stages[stage].packets),
                             Load(counters_.stages[stage].ticks)});
  }
  for (size_t reason = 0; reason < kNumDropReasons; ++reason) {
    const DropReasonInfo& info = Describe(static_cast<DropReason>(reason));
    totals.drops.push_back({info.name, info.text, info.source, Load(counters_.drops[reason])});
  }
  return totals;
}

uint32_t Worker::HandOverDepth() const {
  uint32_t depth = 0;
  for (const auto& ring : hand_over_) {
    depth += ring->depth();
  }
  return depth;
}

uint32_t Worker::PuntedDepth() const {
  uint32_t depth = punted_clients_->depth() + punted_frames_->depth();
  for (const auto& ring : punted_ports_) {
    depth += ring->depth();
  }
  return depth;
}

}  // namespace culvert::dataplane
