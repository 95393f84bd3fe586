// UnresolvedQueue: next hops that packets wanted and that have no Ethernet address yet. A worker
// reports each at most once a second (approximately: reports that share a place may repeat).
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>

#include "dataplane/datapath.h"

namespace culvert::dataplane {

template <typename Address>
class BasicUnresolvedQueue {
 public:
  using NextHopAddress = std::pair<uint16_t, Address>;  // port, address in host order

  // Report is the worker's. A full queue forgets: the next packet reports again.
  void Report(uint16_t port, Address address, uint32_t now_ms) {
    const auto low = static_cast<uint32_t>(address);
    Recent& recent = recent_[(low ^ low >> 8 ^ port) % kNumRecent];
    const NextHopAddress value{port, address};
    if (recent.is_set && recent.value == value && now_ms - recent.ms < kQuietMs) {
      return;
    }
    const uint32_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) == kSize) {
      return;
    }
    recent = {true, now_ms, value};
    values_[tail % kSize] = value;
    tail_.store(tail + 1, std::memory_order_release);
  }
  // Take is the one consumer's.
  std::optional<NextHopAddress> Take() {
    const uint32_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) {
      return std::nullopt;
    }
    const NextHopAddress value = values_[head % kSize];
    head_.store(head + 1, std::memory_order_release);
    return value;
  }

 private:
  static constexpr uint32_t kSize = 64;
  static constexpr uint32_t kNumRecent = 256;
  static constexpr uint32_t kQuietMs = 1000;
  struct Recent {
    bool is_set = false;
    uint32_t ms = 0;
    NextHopAddress value;
  };

  Recent recent_[kNumRecent];
  NextHopAddress values_[kSize] = {};
  std::atomic<uint32_t> head_{0};
  std::atomic<uint32_t> tail_{0};
};
using UnresolvedQueue = BasicUnresolvedQueue<uint32_t>;
using Ipv6UnresolvedQueue = BasicUnresolvedQueue<Ipv6Number>;

}  // namespace culvert::dataplane
