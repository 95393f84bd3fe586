#include "dataplane/reorder/reorder_pool.h"

#include <algorithm>

namespace culvert::dataplane {

ReorderPool::ReorderPool() : buffers_(kNumBuffers + 1) {
  free_.reserve(kNumBuffers);
  for (unsigned id = kNumBuffers; id > 0; --id) {
    free_.push_back(static_cast<uint16_t>(id));
  }
}

ReorderPool::~ReorderPool() {
  for (ReorderBuffer& buffer : buffers_) {
    for (unsigned i = 0; i < buffer.num; ++i) {
      rte_pktmbuf_free(buffer.packets[i].mbuf);
    }
  }
}

uint16_t ReorderPool::Take(uint32_t call_index, uint32_t generation) {
  if (free_.empty()) {
    return 0;
  }
  const uint16_t id = free_.back();
  free_.pop_back();
  ReorderBuffer& buffer = buffers_[id];
  buffer.call_index = call_index;
  buffer.generation = generation;
  buffer.num_in_order = 0;
  buffer.linked = false;
  buffer.num = 0;
  return id;
}

void ReorderPool::GiveBack(uint16_t id) {
  Unlink(id);
  free_.push_back(id);
}

void ReorderPool::Insert(uint16_t id, unsigned at, const HeldPacket& packet) {
  ReorderBuffer& buffer = buffers_[id];
  HeldPacket* place = buffer.packets + at;
  std::copy_backward(place, buffer.packets + buffer.num, buffer.packets + buffer.num + 1);
  *place = packet;
  ++buffer.num;
  ++num_packets_;
}

void ReorderPool::Remove(uint16_t id, unsigned at, unsigned num) {
  ReorderBuffer& buffer = buffers_[id];
  std::copy(buffer.packets + at + num, buffer.packets + buffer.num, buffer.packets + at);
  buffer.num -= num;
  num_packets_ -= num;
}

void ReorderPool::SetDue(uint16_t id, uint32_t due_ms, uint32_t now_ms) {
  ReorderBuffer& buffer = buffers_[id];
  if (buffer.linked && buffer.due_ms == due_ms) {
    return;
  }
  Unlink(id);
  if (num_linked_ == 0) {
    next_ms_ = now_ms;
  }
  // What should have been due before is due next.
  buffer.due_ms = static_cast<int32_t>(due_ms - next_ms_) < 0 ? next_ms_ : due_ms;
  uint16_t& first = slots_[buffer.due_ms % kSlots];
  buffer.next = first;
  buffer.previous = 0;
  buffers_[first].previous = id;  // number 0 is there to be written
  first = id;
  buffer.linked = true;
  ++num_linked_;
}

void ReorderPool::Unlink(uint16_t id) {
  ReorderBuffer& buffer = buffers_[id];
  if (!buffer.linked) {
    return;
  }
  buffers_[buffer.next].previous = buffer.previous;
  if (buffer.previous == 0) {
    slots_[buffer.due_ms % kSlots] = buffer.next;
  } else {
    buffers_[buffer.previous].next = buffer.next;
  }
  buffer.linked = false;
  --num_linked_;
}

uint16_t ReorderPool::TakeDue(uint32_t now_ms) {
  if (num_linked_ == 0) {
    next_ms_ = now_ms;
    return 0;
  }
  if (static_cast<int32_t>(now_ms - next_ms_) >= static_cast<int32_t>(kSlots)) {
    next_ms_ = now_ms - kSlots + 1;  // every slot once
  }
  for (; static_cast<int32_t>(now_ms - next_ms_) >= 0; ++next_ms_) {
    uint16_t id = slots_[next_ms_ % kSlots];
    // After a pause of the worker a slot may also have buffers of the next turn.
    while (id != 0 && static_cast<int32_t>(now_ms - buffers_[id].due_ms) < 0) {
      id = buffers_[id].next;
    }
    if (id != 0) {
      Unlink(id);
      return id;
    }
  }
  return 0;
}

}  // namespace culvert::dataplane
