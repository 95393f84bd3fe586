// Faults: what a bad network does to packets, as a seed has it. One thread.
#pragma once

#include <cstdint>
#include <random>

namespace culvert::load {

class Faults {
 public:
  enum class Fate : uint8_t { kPass, kLose, kDuplicate, kSwap };  // kSwap: with the next one

  // `percent` of packets get each of the three other fates.
  Faults(uint64_t seed, unsigned percent) : random_(seed), percent_(percent) {}

  Fate Next() {
    const auto drawn = static_cast<unsigned>(random_() % 100);
    return drawn < percent_       ? Fate::kLose
           : drawn < 2 * percent_ ? Fate::kDuplicate
           : drawn < 3 * percent_ ? Fate::kSwap
                                  : Fate::kPass;
  }

 private:
  std::mt19937_64 random_;
  const unsigned percent_;
};

}  // namespace culvert::load
