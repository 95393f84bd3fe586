// CoreClock: how many cycles the core makes in one tick of the time stamp counter. The two differ,
// and the core's pace moves, so it is measured along with each sample.
#pragma once

#include <rte_cycles.h>

#include <cstdint>

namespace culvert::bench {

// CoreCyclesPerTick times a chain of multiplications, each of which takes three core cycles on
// every x86-64 core of the last fifteen years (additions of constants may take none).
inline double CoreCyclesPerTick() {
  constexpr uint64_t kRounds = 1000;
  constexpr uint64_t kCyclesPerRound = 100 * 3;
  uint64_t value = 3;
  const uint64_t start = rte_rdtsc();
  for (uint64_t i = 0; i < kRounds; ++i) {
    // The loop's own counting runs beside the chain.
    asm volatile(
        ".rept 100\n"
        "imul %0, %0\n"
        ".endr\n"
        : "+r"(value)
        :
        : "cc");
  }
  return static_cast<double>(kRounds * kCyclesPerRound) / static_cast<double>(rte_rdtsc() - start);
}

}  // namespace culvert::bench
