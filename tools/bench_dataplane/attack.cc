// tools/bench attack: what it costs to drop an attacker's packets, and that packets of good calls
// between them all come out. Batches of attack alone, of one good packet in eight, and of good ones
// alone take turns.
#include <rte_cycles.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "tools/bench_dataplane/attack_traffic.h"
#include "tools/bench_dataplane/modes.h"
#include "tools/bench_dataplane/one_core.h"
#include "tools/bench_dataplane/row.h"

namespace culvert::bench {
namespace {

constexpr unsigned kWarmUpSamples = 8;

struct Kind {
  unsigned one_good_of;
  Samples ticks;
  Samples cycles;
  uint64_t num_good = 0;
  uint64_t num_out = 0;
};

struct Range {
  dataplane::Rig rig;
  Traffic traffic;
  OneCore core;
  unsigned num_disturbed = 0;

  explicit Range(const TrafficSpec& spec)
      : rig(Traffic::RigOptions(spec)),
        traffic(spec, &rig),
        core(&rig, traffic.input_port(), traffic.output_port()) {}
};

void Sample(AttackTraffic* attack, Range* range, Kind* kind) {
  Batch batch;
  Allocate(range->rig, &batch);
  kind->num_good += attack->Fill(batch, kind->one_good_of);
  uint64_t num_acks = 0;
  range->core.Settle(&num_acks);
  const uint64_t out_before = range->core.num_out();
  const CoreReading before = ReadCore();
  const auto ticks = static_cast<double>(range->core.Drain(batch)) / kBatch;
  kind->num_out += range->core.num_out() - out_before;
  if (range->core.disturbed()) {
    ++range->num_disturbed;
    return;
  }
  const CoreReading after = ReadCore();
  kind->ticks.Add(ticks, before, after);
  kind->cycles.Add(ticks * (before.cycles_per_tick + after.cycles_per_tick) / 2, before, after);
}

// MainReason is the drop reason that has counted most since `before`.
std::string MainReason(const dataplane::WorkerTotals& before, const dataplane::WorkerTotals& now) {
  uint64_t most = 0;
  std::string name = "none";
  for (size_t i = 0; i < now.drops.size(); ++i) {
    if (const uint64_t num = now.drops[i].packets - before.drops[i].packets; num > most) {
      most = num;
      name = now.drops[i].name;
    }
  }
  return name;
}

bool MeasureOne(const Options& options, const Attack& attack, Range* range) {
  AttackTraffic traffic(&range->traffic, attack);
  Kind kinds[] = {{0, {}, {}}, {8, {}, {}}, {1, {}, {}}};
  auto& [pure, mixed, good] = kinds;
  const dataplane::WorkerTotals totals = range->rig.datapath().WorkerCounters()[0];
  range->num_disturbed = 0;
  for (unsigned i = 0; i < kWarmUpSamples + options.samples; ++i) {
    for (Kind& kind : kinds) {
      if (i == kWarmUpSamples) {
        kind.ticks = kind.cycles = {};
      }
      Sample(&traffic, range, &kind);
    }
  }
  const double nop =
      std::min({pure.ticks.LowestNop(), mixed.ticks.LowestNop(), good.ticks.LowestNop()});
  const uint64_t lost = mixed.num_good + good.num_good - mixed.num_out - good.num_out;
  Row row("attack");
  row.Text("attack", attack.name).Text("mppe", options.mppe).Count("size", options.size);
  row.Count("calls", options.calls);
  row.Number("cycles_per_drop", pure.cycles.MedianAlone(nop), 0);
  row.Number("drop_mpps", static_cast<double>(rte_get_tsc_hz()) / pure.ticks.MedianAlone(nop) / 1e6,
             2);
  row.Number("cycles_mixed", mixed.cycles.MedianAlone(nop), 0);
  row.Number("cycles_good", good.cycles.MedianAlone(nop), 0);
  row.Count("good", mixed.num_good + good.num_good).Count("good_lost", lost);
  row.Count("attack_passed", pure.num_out);
  row.Text("reason", MainReason(totals, range->rig.datapath().WorkerCounters()[0]));
  row.Count("samples", pure.ticks.size()).Count("core_alone", pure.ticks.CountAlone(nop));
  row.Print();
  if (lost != 0 || pure.num_out != 0) {
    SayDrops(&range->rig);
  }
  return lost == 0 && pure.num_out == 0;
}

// Begin sends packets of each call, so that every one has a latest number.
void Begin(Range* range) {
  Batch batch;
  for (unsigned call = 0; call < 2 * range->traffic.num_calls();) {
    Allocate(range->rig, &batch);
    for (rte_mbuf* mbuf : batch) {
      range->traffic.FillOne(call++ % range->traffic.num_calls(), mbuf);
    }
    range->traffic.Finish();
    range->core.Drain(batch);
  }
}

}  // namespace

int MeasureAttack(const Options& options) {
  const TrafficSpec spec{true, options.mppe == "128", options.size, options.calls, false};
  bool ok = true;
  for (const Attack& attack : Attacks()) {
    if ((!options.attack.empty() && options.attack != attack.name) ||
        (attack.needs_mppe && !spec.mppe)) {
      continue;
    }
    Range range(spec);  // fresh: what one attack has done to the victims is no matter of the next
    if (!range.traffic.ok()) {
      return 1;
    }
    Begin(&range);
    ok = MeasureOne(options, attack, &range) && ok;
  }
  return ok ? 0 : 1;
}

}  // namespace culvert::bench
