// PrefixTable: which call has an IPv6 /64, what the ClientTable is for IPv4. An open hash of the
// upper half of the address that workers read while one thread writes. A read that races with a
// change may give a call that does not have the address: who uses it checks.
#pragma once

#include <absl/container/btree_map.h>
#include <absl/status/status.h>

#include <atomic>
#include <cstdint>

#include "dataplane/datapath.h"

namespace culvert::dataplane {

class PrefixTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  PrefixTable() = default;
  ~PrefixTable();
  PrefixTable(const PrefixTable&) = delete;
  PrefixTable& operator=(const PrefixTable&) = delete;

  // Find gives the index of the call that has the address's /64, or kNone. Any thread.
  [[nodiscard]] uint32_t Find(Ipv6Number address) const;

  // Control side, one thread at a time. Only the upper half of an address counts, and is not 0.
  // Set gives a /64 that nobody has to a call; RESOURCE_EXHAUSTED when the kernel refuses memory.
  absl::Status Set(Ipv6Number address, uint32_t call_index);
  void Erase(Ipv6Number address);
  // First gives the lowest /64 with a call from `from`'s to `last`'s; false: none.
  [[nodiscard]] bool First(Ipv6Number from, Ipv6Number last, Ipv6Number* address) const;

 private:
  static constexpr unsigned kSizeBits = 21;  // twice as many as there can be calls
  static constexpr uint64_t kMask = (uint64_t{1} << kSizeBits) - 1;
  static constexpr uint64_t kGone = UINT64_MAX;  // was a key; searches go on
  struct Entry {
    std::atomic<uint64_t> key;  // 0: none
    std::atomic<uint32_t> call_index;
  };
  static uint64_t Hash(uint64_t key) { return key * 0x9e3779b97f4a7c15 >> (64 - kSizeBits); }

  std::atomic<Entry*> entries_{nullptr};  // mapped with the first call
  std::atomic<uint64_t> max_steps_{0};    // from where a search begins to where a key ever was
  absl::btree_map<uint64_t, uint32_t> calls_;
};

}  // namespace culvert::dataplane
