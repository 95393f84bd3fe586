// LogLimit bounds what peers can make us log: from each place a line per interval, and some more
// in a burst. A line says how many were left out before it. Any thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace culvert {

class LogLimit {
 public:
  using Duration = std::chrono::steady_clock::duration;

  explicit LogLimit(Duration interval = std::chrono::seconds(1), int burst = 1)
      : interval_(interval.count()), tolerance_(interval_ * (burst - 1)) {}

  // Admit gives the number of lines left out since the last one, or nullopt: do not log now.
  std::optional<uint64_t> Admit() {
    int64_t now = std::chrono::steady_clock::now().time_since_epoch().count();
    int64_t due = due_.load(std::memory_order_relaxed);
    if (due > now + tolerance_ ||
        !due_.compare_exchange_strong(due, std::max(due, now) + interval_)) {
      left_out_.fetch_add(1, std::memory_order_relaxed);
      return std::nullopt;
    }
    return left_out_.exchange(0, std::memory_order_relaxed);
  }

 private:
  const int64_t interval_, tolerance_;  // ticks of the clock
  std::atomic<int64_t> due_{0};         // when all lines so far are paid for
  std::atomic<uint64_t> left_out_{0};
};

}  // namespace culvert
