// The clock of the RADIUS client.
#pragma once

#include <chrono>
#include <cstdint>

namespace culvert::radius {

// SteadyUs: microseconds of a clock that nobody sets. Any thread.
inline uint64_t SteadyUs() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

}  // namespace culvert::radius
