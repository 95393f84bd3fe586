// ReorderPool: packets that came before their turn (RFC 2637 s4.3). A call has a buffer only while
// it holds some. Memory is bounded by the number of buffers and of held packets. Owner: one worker.
#pragma once

#include <rte_mbuf.h>

#include <cstdint>
#include <vector>

namespace culvert::dataplane {

struct HeldPacket {
  rte_mbuf* mbuf;
  uint32_t sequence;
  uint32_t since_ms;
  uint32_t num_in_order;  // the buffer's when it came
};

struct ReorderBuffer {
  static constexpr unsigned kMaxPackets = 64;

  uint32_t call_index;
  uint32_t generation;
  uint32_t due_ms;
  uint32_t num_in_order;    // packets that came in order since it was taken
  uint16_t next, previous;  // buffers due in the same millisecond
  bool linked;
  unsigned num;
  HeldPacket packets[kMaxPackets + 1];  // by sequence number; one more while it overflows
};

// Buffers are named by numbers from 1; 0 is none.
class ReorderPool {
 public:
  static constexpr unsigned kNumBuffers = 1024;
  static constexpr uint32_t kMaxDelayMs = 100;

  ReorderPool();
  ~ReorderPool();
  ReorderPool(const ReorderPool&) = delete;
  ReorderPool& operator=(const ReorderPool&) = delete;

  // SetMaxPackets bounds what all buffers hold together.
  void SetMaxPackets(unsigned max) { max_packets_ = max; }
  [[nodiscard]] bool full() const { return num_packets_ >= max_packets_; }
  [[nodiscard]] unsigned num_packets() const { return num_packets_; }

  // Take gives an empty buffer, 0 when there is none.
  uint16_t Take(uint32_t call_index, uint32_t generation);
  // GiveBack takes an empty one.
  void GiveBack(uint16_t id);
  ReorderBuffer& At(uint16_t id) { return buffers_[id]; }

  // Insert puts a packet at a place; the buffer owns it from here.
  void Insert(uint16_t id, unsigned at, const HeldPacket& packet);
  // Remove forgets `num` packets from `at` on; they are the caller's.
  void Remove(uint16_t id, unsigned at, unsigned num);

  // SetDue has TakeDue give the buffer once `due_ms` has come, at most kMaxDelayMs from `now_ms`.
  void SetDue(uint16_t id, uint32_t due_ms, uint32_t now_ms);
  // TakeDue gives a buffer whose time has come, 0 when there is none; it is due no more.
  uint16_t TakeDue(uint32_t now_ms);

 private:
  static constexpr uint32_t kSlots = 128;  // a millisecond each
  static_assert(kMaxDelayMs < kSlots);

  void Unlink(uint16_t id);

  std::vector<ReorderBuffer> buffers_;
  std::vector<uint16_t> free_;
  uint16_t slots_[kSlots] = {};
  uint32_t next_ms_ = 0;  // the first millisecond that TakeDue has not emptied
  unsigned num_linked_ = 0;
  unsigned num_packets_ = 0;
  unsigned max_packets_ = 4096;
};

}  // namespace culvert::dataplane
