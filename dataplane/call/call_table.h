// CallTable: calls[local address][call id] in a memory file. The receiver of a GRE packet chose the
// Call ID in it (RFC 2637 s4.1), so a packet finds its call by index, with one load.
#pragma once

#include <absl/status/statusor.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "dataplane/call/call.h"
#include "dataplane/call/call_watch.h"
#include "dataplane/call/policer.h"
#include "dataplane/call/send_window.h"
#include "dataplane/call/sparse_table.h"

namespace culvert::dataplane {

constexpr uint32_t kMaxLocalAddresses = 16;
constexpr uint32_t kCallTableVersion = 5;
constexpr uint32_t kNoSlot = UINT32_MAX;

// The rows of each local address (a slot) are a memory file of their own, at a fixed place in one
// reserved range. It is made for the first call and goes back to the kernel with the last.
class CallTable {
 public:
  // Create reserves an empty table for `num_slots` local addresses, 1 to kMaxLocalAddresses.
  static absl::StatusOr<std::unique_ptr<CallTable>> Create(uint32_t num_slots);
  ~CallTable();
  CallTable(const CallTable&) = delete;
  CallTable& operator=(const CallTable&) = delete;

  static constexpr uint32_t Index(uint32_t slot, uint16_t call_id) { return slot << 16 | call_id; }

  // FindSlot gives the slot of a local address (host order), or kNoSlot. Any thread.
  [[nodiscard]] uint32_t FindSlot(uint32_t local_address) const {
    for (uint32_t slot = 0; slot < num_slots_; ++slot) {
      if (header_->local_addresses[slot].load(std::memory_order_relaxed) == local_address) {
        return slot;
      }
    }
    return kNoSlot;
  }
  // LocalAddress is a slot's. Any thread.
  [[nodiscard]] uint32_t LocalAddress(uint32_t slot) const {
    return header_->local_addresses[slot].load(std::memory_order_relaxed);
  }
  // SetSlot changes a slot that has no calls. Control side only. 0: free.
  void SetSlot(uint32_t slot, uint32_t local_address) {
    header_->local_addresses[slot].store(local_address, std::memory_order_release);
  }
  // Allocate gets a slot its memory, all of it, in huge pages when there are any; nothing to do
  // when it has it. RESOURCE_EXHAUSTED says what would help. Control side only.
  absl::Status Allocate(uint32_t slot);
  // Release gives the memory of a slot without calls back. Control side only; workers may read
  // the rows meanwhile and afterwards: they are free.
  void Release(uint32_t slot);
  [[nodiscard]] bool allocated(uint32_t slot) const { return files_[slot] >= 0; }

  // At takes an index below size().
  [[nodiscard]] Call& At(uint32_t index) {
    return *reinterpret_cast<Call*>(rows_ + index / kCallsPerAddress * kSlotLen +
                                    index % kCallsPerAddress * sizeof(Call));
  }
  // What only calls with the feature have; its worker's, as the row.
  CallWatch& WatchOf(uint32_t index) { return watches_->At(index); }
  CallPolicers& PolicersOf(uint32_t index) { return policers_->At(index); }
  SendWindow& SendWindowOf(uint32_t index) { return send_windows_->At(index); }
  [[nodiscard]] uint32_t size() const { return num_slots_ * kCallsPerAddress; }
  [[nodiscard]] uint32_t num_slots() const { return num_slots_; }

 private:
  struct Header {
    uint64_t magic;
    uint32_t version;
    uint32_t call_size;
    uint32_t num_slots;
    std::atomic<uint32_t> local_addresses[kMaxLocalAddresses];  // 0: free
  };
  static constexpr size_t kSlotLen = kCallRowLen * kCallsPerAddress;
  static constexpr size_t kHugePageLen = size_t{2} << 20;
  static_assert(kSlotLen % kHugePageLen == 0);

  bool MakeSparseTables();
  CallTable(int header_file, Header* header, void* rows, uint32_t num_slots);
  void* Rows(uint32_t slot) { return rows_ + slot * kSlotLen; }

  int header_file_;
  Header* header_;
  uint8_t* rows_;  // reserved, rows of zeros where a slot has no memory
  uint32_t num_slots_;
  std::array<int, kMaxLocalAddresses> files_;  // of slots that have memory; else -1
  bool said_no_huge_pages_ = false;
  std::unique_ptr<SparseTable<CallWatch>> watches_;
  std::unique_ptr<SparseTable<CallPolicers>> policers_;
  std::unique_ptr<SparseTable<SendWindow>> send_windows_;
};

}  // namespace culvert::dataplane
