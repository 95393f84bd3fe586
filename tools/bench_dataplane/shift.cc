#include "tools/bench_dataplane/shift.h"

#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_pause.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <latch>
#include <thread>
#include <utility>

#include "tools/bench_dataplane/one_core.h"

namespace culvert::bench {
namespace {

struct Launch {
  const std::function<void()>* function;
  std::latch* done;
};

int Main(void* argument) {
  const auto* launch = static_cast<const Launch*>(argument);
  // The main thread may have this core until it sleeps.
  std::this_thread::sleep_for(std::chrono::milliseconds(1));
  (*launch->function)();
  launch->done->count_down();
  return 0;
}

}  // namespace

void RunTogether(std::span<const std::function<void()>> functions) {
  std::latch done(static_cast<ptrdiff_t>(functions.size()));
  std::vector<Launch> launches;
  launches.reserve(functions.size());
  for (const auto& function : functions) {
    launches.push_back({&function, &done});
  }
  for (unsigned i = 0; i < launches.size(); ++i) {
    if (rte_eal_remote_launch(Main, &launches[i], i + 1) != 0) {
      std::fprintf(stderr, "bench: lcore %u is busy\n", i + 1);
      std::abort();
    }
  }
  done.wait();  // rte_eal_wait_lcore would spin
  for (unsigned i = 0; i < launches.size(); ++i) {
    rte_eal_wait_lcore(i + 1);
  }
}

void WaitForOthers(std::atomic<unsigned>* ready, unsigned num) {
  ready->fetch_add(1);
  while (ready->load() < num) {
    rte_pause();
  }
}

void Gaps::Add(uint64_t ticks) {
  longest = std::max(longest, ticks);
  num_long += ticks > rte_get_tsc_hz() / 1000000 * kLongUs ? 1 : 0;
}

Gaps Probe(uint64_t ticks, double piece, double cycles_per_tick) {
  constexpr double kCyclesPerTurn = 10 * 3;  // a chain of multiplications, as of the core's pace
  const auto turns = static_cast<uint64_t>(piece * cycles_per_tick / kCyclesPerTurn);
  const uint64_t start = rte_rdtsc();
  uint64_t value = 3;
  Gaps pieces;
  for (uint64_t now = start; now - start < ticks;) {
    for (uint64_t i = 0; i < turns; ++i) {
      asm volatile(
          ".rept 10\n"
          "imul %0, %0\n"
          ".endr\n"
          : "+r"(value)
          :
          : "cc");
    }
    const uint64_t before = std::exchange(now, rte_rdtsc());
    pieces.Add(now - before);
  }
  return pieces;
}

void Shift::Work(dataplane::Rig* rig, unsigned worker, std::atomic<unsigned>* ready, unsigned num) {
  const uint64_t quiet = rte_get_tsc_hz() / 5000;
  before = ReadCore();
  WaitForOthers(ready, num);
  const long preemptions = Preemptions();
  start = rte_rdtsc();
  end = start;
  for (uint64_t now = start; now - end < quiet;) {
    const bool any = rig->datapath().RunWorkerOnce(worker) > 0;
    const uint64_t began = std::exchange(now, rte_rdtsc());
    rounds.Add(now - began);
    end = any ? now : end;
    busy += any ? now - began : 0;
  }
  disturbed = Preemptions() != preemptions;
  after = ReadCore();
}

}  // namespace culvert::bench
