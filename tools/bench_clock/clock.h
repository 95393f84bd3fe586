// What benchmarks measure with: core cycles, and whether the core was alone meanwhile.
#pragma once

#include <x86intrin.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace culvert::bench {

// CoreCyclesPerTick: how many cycles the core makes in one tick of the time stamp counter. The two
// differ, and the core's pace moves. It times a chain of multiplications, each of which takes three
// core cycles on every x86-64 core of the last fifteen years (additions of constants may take
// none).
// The best of a few chains: in the others something came between.
inline double CoreCyclesPerTick() {
  constexpr unsigned kChains = 4;
  constexpr uint64_t kRounds = 100;
  constexpr uint64_t kCyclesPerRound = 100 * 3;
  uint64_t value = 3;
  uint64_t best = UINT64_MAX;
  for (unsigned chain = 0; chain < kChains; ++chain) {
    const uint64_t start = __rdtsc();
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
    best = std::min<uint64_t>(best, __rdtsc() - start);
  }
  return static_cast<double>(kRounds * kCyclesPerRound) / static_cast<double>(best);
}

// TicksPerNop times `nop`s, which need nothing but the front end, and that is what hyper-threads of
// one core share. The best of a few runs: an interrupt is not a neighbour.
inline double TicksPerNop() {
  constexpr unsigned kRounds = 20;
  constexpr unsigned kNops = 1000;
  uint64_t best = UINT64_MAX;
  for (unsigned run = 0; run < 4; ++run) {
    const uint64_t start = __rdtsc();
    for (unsigned i = 0; i < kRounds; ++i) {
      asm volatile(
          ".rept 1000\n"
          "nop\n"
          ".endr\n");
    }
    best = std::min<uint64_t>(best, __rdtsc() - start);
  }
  return static_cast<double>(best) / (kRounds * kNops);
}

// CoreReading is taken before and after a sample.
struct CoreReading {
  double cycles_per_tick;
  double cycles_per_nop;
};
inline CoreReading ReadCore() {
  const double pace = CoreCyclesPerTick();
  return {pace, pace * TicksPerNop()};
}

inline double Median(std::vector<double> values) {
  if (values.empty()) {
    return 0;
  }
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Samples of one quantity, each with the core's readings around it.
class Samples {
 public:
  void Add(double value, const CoreReading& before, const CoreReading& after) {
    values_.push_back({value, std::max(before.cycles_per_nop, after.cycles_per_nop)});
  }
  [[nodiscard]] size_t size() const { return values_.size(); }
  // Value `i`, in order of Add.
  [[nodiscard]] double value(size_t i) const { return values_[i].value; }

  // LowestNop: what a nop takes on this core when it is alone; of a whole run the lowest, but for a
  // twentieth that may have been misread.
  [[nodiscard]] double LowestNop() const {
    if (values_.empty()) {
      return 1;
    }
    std::vector<double> nops;
    for (const Sample& sample : values_) {
      nops.push_back(sample.nop);
    }
    const auto low = nops.begin() + static_cast<ptrdiff_t>(nops.size() / 20);
    std::nth_element(nops.begin(), low, nops.end());
    return *low;
  }
  // IsAlone: nothing shared the core during sample `i`. `lowest_nop` is of LowestNop.
  [[nodiscard]] bool IsAlone(size_t i, double lowest_nop) const {
    return values_[i].nop <= kAloneFactor * lowest_nop;
  }
  [[nodiscard]] size_t CountAlone(double lowest_nop) const {
    size_t count = 0;
    for (size_t i = 0; i < values_.size(); ++i) {
      count += IsAlone(i, lowest_nop) ? 1 : 0;
    }
    return count;
  }
  // MedianAlone is that of the samples with the core alone; of all when they are too few.
  [[nodiscard]] double MedianAlone(double lowest_nop) const {
    std::vector<double> alone;
    std::vector<double> all;
    for (size_t i = 0; i < values_.size(); ++i) {
      all.push_back(values_[i].value);
      if (IsAlone(i, lowest_nop)) {
        alone.push_back(values_[i].value);
      }
    }
    return Median(alone.size() >= kFewest ? alone : all);
  }
  [[nodiscard]] double MedianAll() const {
    std::vector<double> all;
    for (const Sample& sample : values_) {
      all.push_back(sample.value);
    }
    return Median(all);
  }

  static constexpr size_t kFewest = 7;  // samples that a median of those alone needs

 private:
  // A busy neighbour costs a nop a third and more; the reading itself moves by a few hundredths.
  static constexpr double kAloneFactor = 1.15;
  struct Sample {
    double value;
    double nop;
  };
  std::vector<Sample> values_;
};

}  // namespace culvert::bench
