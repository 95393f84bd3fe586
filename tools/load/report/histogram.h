// Histogram of times: 32 steps a power of two, so that a percentile is right to 3 %. One thread.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace culvert::load {

class Histogram {
 public:
  void Add(uint64_t us, uint64_t times = 1) {
    steps_[StepOf(us)] += times;
    min_us_ = std::min(min_us_, us);
    max_us_ = std::max(max_us_, us);
    count_ += times;
  }
  void Reset() { *this = Histogram(); }

  [[nodiscard]] uint64_t count() const { return count_; }
  [[nodiscard]] double min_ms() const { return count_ == 0 ? 0 : Ms(min_us_); }
  [[nodiscard]] double max_ms() const { return Ms(max_us_); }
  // PercentileMs: `share` from 0 to 1.
  [[nodiscard]] double PercentileMs(double share) const {
    const auto wanted = static_cast<uint64_t>(share * count_);
    uint64_t passed = 0;
    for (size_t i = 0; i < kSteps; ++i) {
      passed += steps_[i];
      if (passed > wanted) {
        return std::clamp(Ms(ValueOf(i)), min_ms(), max_ms());
      }
    }
    return max_ms();
  }

 private:
  static constexpr unsigned kBits = 5;
  static constexpr size_t kSteps = (64 - kBits + 1) << kBits;

  static double Ms(uint64_t us) { return static_cast<double>(us) / 1000; }
  static size_t StepOf(uint64_t us) {
    if (us < 1U << kBits) {
      return us;
    }
    const auto shift = static_cast<unsigned>(std::bit_width(us)) - kBits - 1;
    return (size_t{shift + 1} << kBits) + ((us >> shift) & ((1U << kBits) - 1));
  }
  // ValueOf is the middle of a step.
  static uint64_t ValueOf(size_t step) {
    if (step < 1U << kBits) {
      return step;
    }
    const auto shift = static_cast<unsigned>(step >> kBits) - 1;
    const uint64_t low = ((uint64_t{1} << kBits) + (step & ((1U << kBits) - 1))) << shift;
    return low + ((uint64_t{1} << shift) >> 1);
  }

  std::array<uint64_t, kSteps> steps_{};
  uint64_t min_us_ = UINT64_MAX, max_us_ = 0;
  uint64_t count_ = 0;
};

}  // namespace culvert::load
