// tools/bench sweep: what a worker's sweep over its calls takes of a core. Nothing but the sweep
// runs, by a clock of its own, over calls that have all it may look at. They are many times what
// the caches hold, so each pass finds them in memory.
#include "dataplane/worker/sweep.h"

#include <rte_cycles.h>

#include <cstdio>
#include <memory>

#include "dataplane/call/call_table.h"
#include "tools/bench_clock/clock.h"
#include "tools/bench_dataplane/modes.h"
#include "tools/bench_dataplane/one_core.h"
#include "tools/bench_dataplane/row.h"

namespace culvert::bench {
namespace {

using dataplane::CallTable;

constexpr unsigned kRoundsPerMs = 20;  // of a busy worker
constexpr unsigned kMs = 1000;         // of a sample: a pass over the table
// Longer than all samples together: looking is measured, and nothing here could take an
// Echo-Request.
constexpr uint16_t kEchoSeconds = 3600;

struct Swept {
  explicit Swept(CallTable* table) : sweep(table->size()) {
    context.calls = table;
    context.counters = &counters;
    context.sweep = &sweep;
  }
  dataplane::WorkerContext context;
  dataplane::WorkerCounters counters;
  dataplane::Sweep sweep;
};

bool MakeCalls(unsigned num, CallTable* table, Swept* swept) {
  for (uint32_t i = 0; i < num; ++i) {
    const uint32_t index = CallTable::Index(i / 65535, static_cast<uint16_t>(1 + i % 65535));
    if (const absl::Status status = table->Allocate(index / dataplane::kCallsPerAddress);
        !status.ok()) {
      std::fprintf(stderr, "bench: %s\n", status.ToString().c_str());
      return false;
    }
    dataplane::Call& call = table->At(index);
    call.generation = 1;
    dataplane::CallProgram program;
    program.index = index;
    program.keepalive = {true, kEchoSeconds, 4, 7, 0};
    program.idle_timeout_s = kEchoSeconds;
    program.octet_quota = uint64_t{1} << 60;
    dataplane::ProgramWatch(program, true, &call, &swept->context);
  }
  return true;
}

// Pass lets kMs go by and gives the ticks that the sweep took.
uint64_t Pass(Swept* swept) {
  const uint64_t start = rte_rdtsc();
  for (unsigned ms = 0; ms < kMs; ++ms) {
    ++swept->context.now_ms;
    for (unsigned round = 0; round < kRoundsPerMs; ++round) {
      swept->sweep.Run(&swept->context);
    }
  }
  return rte_rdtsc() - start;
}

}  // namespace

int MeasureSweep(const Options& options) {
  auto table = CallTable::Create(dataplane::kMaxLocalAddresses);
  if (!table.ok()) {
    std::fprintf(stderr, "bench: %s\n", table.status().ToString().c_str());
    return 1;
  }
  const auto swept = std::make_unique<Swept>(table->get());
  if (!MakeCalls(options.calls, table->get(), swept.get())) {
    return 1;
  }
  Samples ticks;
  Samples cycles;
  unsigned num_disturbed = 0;
  for (unsigned i = 0; i < options.samples; ++i) {
    const CoreReading before = ReadCore();
    const long preemptions = Preemptions();
    const auto took = static_cast<double>(Pass(swept.get()));
    if (Preemptions() != preemptions) {
      ++num_disturbed;
      continue;
    }
    const CoreReading after = ReadCore();
    ticks.Add(took, before, after);
    cycles.Add(took * (before.cycles_per_tick + after.cycles_per_tick) / 2, before, after);
  }
  const double nop = ticks.LowestNop();
  const double calls_a_sample = options.calls * kMs / 1000.0;
  Row row("sweep");
  row.Count("calls", options.calls);
  row.Number("core_percent",
             100 * ticks.MedianAlone(nop) * 1000 / kMs / static_cast<double>(rte_get_tsc_hz()), 2);
  row.Number("cycles_per_call", cycles.MedianAlone(nop) / calls_a_sample, 1);
  row.Count("samples", ticks.size()).Count("core_alone", ticks.CountAlone(nop));
  row.Count("disturbed", num_disturbed);
  row.Print();
  return 0;
}

}  // namespace culvert::bench
