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

// Shift: one worker's part in a sample.
struct Shift {
  CoreReading before{};
  CoreReading after{};
  uint64_t start = 0;          // TSC, when all were ready
  uint64_t end = 0;            // of the last round in which there was something to do
  uint64_t longest_round = 0;  // ticks
  bool disturbed = false;

  // Work runs a worker of `rig` until nothing has come for a while. It starts once `num` lcores
  // have counted themselves into `ready`.
  void Work(dataplane::Rig* rig, unsigned worker, std::atomic<unsigned>* ready, unsigned num);
};

// LongestGap reads the time stamp counter for so many ticks and gives the most that passed between
// two readings: what the machine itself takes from a core.
uint64_t LongestGap(uint64_t ticks);

// WaitForOthers counts the caller into `ready` and spins until all `num` are there.
void WaitForOthers(std::atomic<unsigned>* ready, unsigned num);

}  // namespace culvert::bench
