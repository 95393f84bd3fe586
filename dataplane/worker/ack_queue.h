// AckQueue: calls that have something to acknowledge (RFC 2637 s4.3), in the order of their
// deadlines, which is that of their arrival since the delay is the same for all. Owner: one worker.
#pragma once

#include <cstdint>
#include <vector>

namespace culvert::dataplane {

class AckQueue {
 public:
  static constexpr uint32_t kDelayMs = 100;
  struct Entry {
    uint32_t call_index;
    uint32_t generation;
    uint32_t deadline_ms;
  };

  AckQueue() : entries_(kSize) {}

  // Put gives false when the queue is full: acknowledge at once.
  bool Put(uint32_t call_index, uint32_t generation, uint32_t now_ms) {
    if (tail_ - head_ == kSize) {
      return false;
    }
    entries_[tail_++ % kSize] = {call_index, generation, now_ms + kDelayMs};
    return true;
  }
  // TakeDue gives false when no entry's deadline has come. An entry's call may be gone.
  bool TakeDue(uint32_t now_ms, Entry* out) {
    if (head_ == tail_ || static_cast<int32_t>(now_ms - entries_[head_ % kSize].deadline_ms) < 0) {
      return false;
    }
    *out = entries_[head_++ % kSize];
    return true;
  }
  // Ahead gives the call of an entry that will be taken soon, to fetch its memory; false: none.
  bool Ahead(uint32_t* call_index) const {
    constexpr uint32_t kAhead = 4;
    *call_index = entries_[(head_ + kAhead) % kSize].call_index;
    return tail_ - head_ > kAhead;
  }

 private:
  static constexpr uint32_t kSize = 65536;
  std::vector<Entry> entries_;
  uint32_t head_ = 0;
  uint32_t tail_ = 0;
};

}  // namespace culvert::dataplane
