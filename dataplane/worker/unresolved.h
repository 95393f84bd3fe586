// UnresolvedQueue: next hops that packets wanted and that have no Ethernet address yet. A worker
// reports each at most once a second (approximately: reports that share a place may repeat).
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>

namespace culvert::dataplane {

class UnresolvedQueue {
 public:
  using NextHopAddress = std::pair<uint16_t, uint32_t>;  // port, address in host order

  // Report is the worker's. A full queue forgets: the next packet reports again.
  void Report(uint16_t port, uint32_t address, uint32_t now_ms) {
    Recent& recent = recent_[(address ^ address >> 8 ^ port) % kNumRecent];
    const uint64_t value = static_cast<uint64_t>(port) << 32 | address;
    if (recent.value == value + 1 && now_ms - recent.ms < kQuietMs) {
      return;
    }
    const uint32_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) == kSize) {
      return;
    }
    recent = {value + 1, now_ms};
    values_[tail % kSize] = value;
    tail_.store(tail + 1, std::memory_order_release);
  }
  // Take is the one consumer's.
  std::optional<NextHopAddress> Take() {
    const uint32_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) {
      return std::nullopt;
    }
    const uint64_t value = values_[head % kSize];
    head_.store(head + 1, std::memory_order_release);
    return NextHopAddress{static_cast<uint16_t>(value >> 32), static_cast<uint32_t>(value)};
  }

 private:
  static constexpr uint32_t kSize = 64;
  static constexpr uint32_t kNumRecent = 256;
  static constexpr uint32_t kQuietMs = 1000;
  struct Recent {
    uint64_t value = 0;  // + 1; 0: none
    uint32_t ms = 0;
  };

  Recent recent_[kNumRecent];
  uint64_t values_[kSize] = {};
  std::atomic<uint32_t> head_{0};
  std::atomic<uint32_t> tail_{0};
};

}  // namespace culvert::dataplane
