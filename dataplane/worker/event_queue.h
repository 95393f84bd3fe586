// EventQueue: what a worker has to tell the control plane of its calls. One producer, the worker,
// and one consumer.
#pragma once

#include <atomic>
#include <cstdint>
#include <ctime>
#include <optional>
#include <vector>

#include "dataplane/datapath.h"

namespace culvert::dataplane {

class EventQueue {
 public:
  EventQueue() : entries_(kSize) {}

  // Report is the worker's. False: the queue is full; mark nothing as told and report again later.
  [[nodiscard]] bool Report(uint64_t handle, CallEvent::Kind kind) {
    const uint32_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) == kSize) {
      return false;
    }
    entries_[tail % kSize] = {handle, kind, NowMs()};
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }
  // Take is the one consumer's.
  [[nodiscard]] std::optional<CallEvent> Take() {
    const uint32_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) {
      return std::nullopt;
    }
    const CallEvent event = entries_[head % kSize];
    head_.store(head + 1, std::memory_order_release);
    return event;
  }
  // depth: events that wait. Any thread.
  [[nodiscard]] uint32_t depth() const {
    return tail_.load(std::memory_order_relaxed) - head_.load(std::memory_order_relaxed);
  }

  static constexpr uint32_t kSize = 4096;

 private:
  // The vDSO answers, no system call is made; an event is rare.
  static int64_t NowMs() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
  }

  std::vector<CallEvent> entries_;
  std::atomic<uint32_t> head_{0};
  std::atomic<uint32_t> tail_{0};
};

}  // namespace culvert::dataplane
