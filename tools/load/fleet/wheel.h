// Wheel: timers of many calls, in milliseconds; adding and firing cost the same however many there
// are. Timers are never taken out: the owner knows which ones still count. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace culvert::load {

class Wheel {
 public:
  struct Timer {
    uint64_t due_ms = 0;
    uint32_t index = 0;  // the owner's
    uint8_t kind = 0;    // the owner's
  };

  explicit Wheel(uint64_t now_ms) : slots_(kSlots), done_ms_(now_ms) {}

  // Add: a time that is over fires with the next Advance.
  void Add(const Timer& timer) {
    const uint64_t at = timer.due_ms > done_ms_ ? timer.due_ms : done_ms_ + 1;
    slots_[at % kSlots].push_back(timer);
  }
  // Advance calls `fire` with every timer that is due; it may add others.
  template <typename Fire>
  void Advance(uint64_t now_ms, Fire fire) {
    while (done_ms_ < now_ms) {
      ++done_ms_;
      std::vector<Timer>& slot = slots_[done_ms_ % kSlots];
      due_.clear();
      std::swap(due_, slot);
      for (const Timer& timer : due_) {
        if (timer.due_ms > done_ms_) {
          slot.push_back(timer);  // of a later round
        } else {
          fire(timer);
        }
      }
    }
  }

 private:
  static constexpr size_t kSlots = 8192;

  std::vector<std::vector<Timer>> slots_;
  std::vector<Timer> due_;
  uint64_t done_ms_;
};

}  // namespace culvert::load
