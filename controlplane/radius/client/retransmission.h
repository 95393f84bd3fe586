// When a request is sent again (RFC 5080 s2.2.1).
#pragma once

#include <cstdint>

namespace culvert::radius {

struct RetransmissionTimes {
  uint64_t initial_ms = 2000;   // IRT
  uint64_t longest_ms = 16000;  // MRT
  // Transmissions to one server before the next one is tried.
  uint32_t tries = 2;
  // From the first transmission to giving up, all servers together.
  uint64_t deadline_ms = 18000;
};

// NextTimeout is RT of RFC 5080: of the first transmission with `previous_ms` 0. `random` is
// uniform; 0 to 2^32-1 stand for RAND of -0.1 to 0.1.
[[nodiscard]] inline uint64_t NextTimeout(const RetransmissionTimes& times, uint64_t previous_ms,
                                          uint32_t random) {
  const double rand = (static_cast<double>(random) / 4294967295.0 - 0.5) / 5;
  const auto initial = static_cast<double>(times.initial_ms);
  const auto longest = static_cast<double>(times.longest_ms);
  const auto previous = static_cast<double>(previous_ms);
  const double next = previous_ms == 0 ? initial * (1 + rand) : previous * (2 + rand);
  return static_cast<uint64_t>(next > longest ? longest * (1 + rand) : next);
}

}  // namespace culvert::radius
