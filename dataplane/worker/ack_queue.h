// AckQueue: calls that have something to acknowledge (RFC 2637 s4.3), by deadline: a wheel with a
// list for each millisecond. Owner: one worker.
#pragma once

#include <cstdint>
#include <vector>

namespace culvert::dataplane {

class AckQueue {
 public:
  struct Entry {
    uint32_t call_index;
    uint32_t generation;
  };

  AckQueue() : nodes_(kSize), slots_(kNumSlots) {
    for (uint32_t i = 0; i < kSize; ++i) {
      Append(i, &free_);
    }
  }

  // Put takes a delay of 1 to 1000 ms; false when the queue is full: acknowledge at once.
  bool Put(uint32_t call_index, uint32_t generation, uint32_t now_ms, uint32_t delay_ms) {
    const uint32_t node = TakeFirst(&free_);
    if (node == kNone) {
      return false;
    }
    if (num_++ == 0) {
      done_ms_ = now_ms;  // slots are used again: what lies behind must not seem to be due
    }
    nodes_[node].entry = {call_index, generation};
    Append(node, &slots_[(now_ms + delay_ms) % kNumSlots]);
    return true;
  }
  // TakeDue gives false when no entry's deadline has come. An entry's call may be gone.
  bool TakeDue(uint32_t now_ms, Entry* out) {
    while (num_ != 0 && done_ms_ != now_ms) {
      const uint32_t node = TakeFirst(&slots_[(done_ms_ + 1) % kNumSlots]);
      if (node != kNone) {
        *out = nodes_[node].entry;
        Append(node, &free_);
        --num_;
        return true;
      }
      ++done_ms_;
    }
    return false;
  }
  // Ahead gives the call of an entry of the same millisecond that will be taken soon, to fetch its
  // memory; false: none.
  bool Ahead(uint32_t* call_index) const {
    constexpr unsigned kAhead = 4;
    uint32_t node = slots_[(done_ms_ + 1) % kNumSlots].first;
    for (unsigned i = 0; i < kAhead && node != kNone; ++i) {
      node = nodes_[node].next;
    }
    if (node != kNone) {
      *call_index = nodes_[node].entry.call_index;
    }
    return node != kNone;
  }

 private:
  static constexpr uint32_t kSize = 65536;
  static constexpr uint32_t kNumSlots = 1024;
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Node {
    Entry entry;
    uint32_t next;
  };
  struct List {  // first in, first out: nodes are used in the order in which they lie
    uint32_t first = kNone, last = kNone;
  };

  void Append(uint32_t node, List* list) {
    nodes_[node].next = kNone;
    (list->first == kNone ? list->first : nodes_[list->last].next) = node;
    list->last = node;
  }
  uint32_t TakeFirst(List* list) {
    const uint32_t node = list->first;
    if (node != kNone) {
      list->first = nodes_[node].next;
    }
    return node;
  }

  std::vector<Node> nodes_;
  std::vector<List> slots_;  // by deadline
  List free_;
  uint32_t num_ = 0;      // in all slots
  uint32_t done_ms_ = 0;  // what was due until then has been taken
};

}  // namespace culvert::dataplane
