// CallTable: calls[local address][call id] in a memory file. The receiver of a GRE packet chose the
// Call ID in it (RFC 2637 s4.1), so a packet finds its call by index, with one load.
#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "dataplane/call/call.h"

namespace culvert::dataplane {

constexpr uint32_t kMaxLocalAddresses = 16;
constexpr uint32_t kCallsPerAddress = 65536;
constexpr uint32_t kCallTableVersion = 2;
constexpr uint32_t kNoSlot = UINT32_MAX;

class CallTable {
 public:
  // Create maps an empty table for `num_slots` local addresses, 1 to kMaxLocalAddresses. Pages cost
  // memory once a call of theirs was made.
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
  // SetSlot changes a slot that has no calls. Control side only. 0: free.
  void SetSlot(uint32_t slot, uint32_t local_address) {
    header_->local_addresses[slot].store(local_address, std::memory_order_release);
  }

  // At takes an index below size().
  [[nodiscard]] Call& At(uint32_t index) { return calls_[index]; }
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
  static constexpr size_t kHeaderLen = 4096;
  static_assert(sizeof(Header) <= kHeaderLen);

  CallTable(int fd, void* memory, uint32_t num_slots);
  static size_t FileLen(uint32_t num_slots) {
    return kHeaderLen + sizeof(Call) * kCallsPerAddress * num_slots;
  }

  int fd_;
  Header* header_;
  Call* calls_;
  uint32_t num_slots_;
};

}  // namespace culvert::dataplane
