// CallRow: what was asked for of a call, without keys, in as few octets as it takes: there are a
// million of them. What only some calls have is on the heap.
#pragma once

#include <absl/status/status.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "dataplane/call/call_table.h"
#include "dataplane/datapath.h"

namespace culvert::dataplane {

// A row of zeros is no call. Rows are moved as octets: who has one calls Clear in the end.
struct CallRow {
  uint32_t generation;
  uint32_t peer_address, client_address;
  uint16_t peer_call_id;
  uint16_t worker;

  // Pack replaces what the row says of the call, all of `spec` but handle, keys, call_id and
  // local_address; false, and no change: out of memory.
  bool Pack(const CallSpec& spec);
  // Unpack gives it back, the rest being the caller's.
  [[nodiscard]] CallSpec Unpack() const;
  // Clear makes it zeros.
  void Clear();
  [[nodiscard]] uint16_t filter() const { return filter_; }

 private:
  struct Rare;
  struct Key {
    uint32_t epoch;
    uint16_t bits;
    bool present, stateful;
  };
  static Key KeyOf(const std::optional<MppeKeySpec>& key);
  static std::optional<MppeKeySpec> SpecOf(const Key& key);

  uint16_t peer_mru_, mtu_, receive_window_, peer_window_;
  Key receive_, send_;
  uint32_t keepalive_magic_, keepalive_peer_magic_;
  uint32_t idle_timeout_s_;
  uint16_t keepalive_interval_s_;
  uint8_t keepalive_misses_;
  uint8_t dscp_;
  ReorderSpec reorder_;
  uint16_t send_acfc_ : 1, send_pfc_ : 1, require_encryption_ : 1, keepalive_enabled_ : 1,
      dont_fragment_ : 1, copy_dscp_ : 1, ack_delay_ms_ : 10;
  uint16_t record_len_;
  uint16_t filter_;
  char* record_;  // own
  Rare* rare_;    // own; null: all of it as in CallSpec{}
};
static_assert(sizeof(CallRow) == 80);

// CallRows: a row for each place in the call table; a local address's rows take memory while it has
// calls, a page at a time.
class CallRows {
 public:
  // Allocate: false when there is no memory.
  bool Allocate(uint32_t slot) {
    if (slots_[slot] == nullptr) {
      slots_[slot].reset(static_cast<CallRow*>(calloc(kCallsPerAddress, sizeof(CallRow))));
    }
    return slots_[slot] != nullptr;
  }
  // Release wants every row cleared.
  void Release(uint32_t slot) { slots_[slot].reset(); }
  ~CallRows() {
    ForEach([](uint32_t, CallRow& row) { row.Clear(); });
  }

  // Find gives the row of a call, null: no such call.
  [[nodiscard]] CallRow* Find(uint32_t index) {
    CallRow* row = At(index);
    return row != nullptr && row->generation != 0 ? row : nullptr;
  }
  [[nodiscard]] CallRow* Find(uint64_t handle) {
    CallRow* row = Find(HandleIndex(handle));
    return row != nullptr && row->generation == HandleGeneration(handle) ? row : nullptr;
  }
  // At gives any row, null when the slot is not allocated or does not exist.
  [[nodiscard]] CallRow* At(uint32_t index) {
    const uint32_t slot = index / kCallsPerAddress;
    return slot < slots_.size() && slots_[slot] != nullptr ? &slots_[slot][index % kCallsPerAddress]
                                                           : nullptr;
  }
  template <typename Function>  // void(uint32_t index, CallRow& row)
  void ForEach(Function function) {
    for (uint32_t slot = 0; slot < slots_.size(); ++slot) {
      for (uint32_t id = 0; slots_[slot] != nullptr && id < kCallsPerAddress; ++id) {
        if (slots_[slot][id].generation != 0) {
          function(slot * kCallsPerAddress + id, slots_[slot][id]);
        }
      }
    }
  }

 private:
  struct Free {
    void operator()(CallRow* rows) const { free(rows); }
  };
  std::array<std::unique_ptr<CallRow[], Free>, kMaxLocalAddresses> slots_;
};

}  // namespace culvert::dataplane
