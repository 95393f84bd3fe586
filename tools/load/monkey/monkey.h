// Monkey: the tricks that a seed plays on a server, and when. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>

#include "tools/load/fleet/fleet.h"

namespace culvert::load {

class Monkey {
 public:
  // Same seed, same tricks at the same times, numbered from the first Play().
  Monkey(uint64_t seed, double tricks_per_second);

  // Play plays what is due by now.
  void Play(Fleet* fleet);
  // Summary says how often each trick was played.
  [[nodiscard]] std::string Summary() const;
  [[nodiscard]] uint64_t num_played() const;

  struct Step {
    uint64_t after_us = 0;  // since the first
    Fleet::Trick trick{};
    uint32_t call = 0;
    uint64_t random = 0;
  };
  // Next gives the next trick; Play() uses it.
  Step Next();

 private:
  std::mt19937_64 random_;
  const double tricks_per_second_;
  uint64_t begun_us_ = 0, after_us_ = 0;
  Step next_;
  std::array<uint64_t, Fleet::kNumTricks> played_{};
};

}  // namespace culvert::load
