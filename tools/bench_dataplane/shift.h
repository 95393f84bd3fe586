// Work of one lcore during a sample. The main thread sleeps meanwhile: there may be no core for it.
#pragma once

#include <atomic>
#include <functional>
#include <span>

#include "dataplane/rig/rig.h"
#include "tools/bench_clock/clock.h"

namespace culvert::bench {

// RunTogether runs functions[i] on lcore i + 1 and returns when all have returned.
void RunTogether(std::span<const std::function<void()>> functions);

// Gaps: how long the pieces took that a time was cut into.
struct Gaps {
  static constexpr unsigned kLongUs = 100;
  uint64_t longest = 0;  // ticks
  unsigned num_long = 0;

  void Add(uint64_t ticks);
};

// Shift: one worker's part in a sample.
struct Shift {
  CoreReading before{};
  CoreReading after{};
  uint64_t start = 0;  // TSC, when all were ready
  uint64_t end = 0;    // of the last round in which there was something to do
  uint64_t busy = 0;   // ticks of such rounds
  Gaps rounds;
  bool disturbed = false;

  // Work runs a worker of `rig` until nothing has come for a while. It starts once `num` lcores
  // have counted themselves into `ready`.
  void Work(dataplane::Rig* rig, unsigned worker, std::atomic<unsigned>* ready, unsigned num);
};

// Probe does for so many ticks what takes a core `piece` ticks of its time, again and again, and
// gives how long that took: more is what the machine itself takes from a core. `cycles_per_tick`:
// its pace.
Gaps Probe(uint64_t ticks, double piece, double cycles_per_tick);

// WaitForOthers counts the caller into `ready` and spins until all `num` are there.
void WaitForOthers(std::atomic<unsigned>* ready, unsigned num);

}  // namespace culvert::bench
