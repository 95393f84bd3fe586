// ClientTable: which call has an inner IPv4 address. The forwarding table says of the clients'
// networks only that they are the clients' (NextHop::Kind::kClients); here the call is found with
// one load, and a call that comes or goes leaves the forwarding table alone.
//
// 4 octets for each of the 2^32 addresses, in a mapping that is only reserved: pages of addresses
// that nobody has had are the kernel's one page of zeros, so asking for addresses costs page table
// entries (8 octets for 1024 addresses, and only of networks that are the clients'), never memory.
// Memory is taken 4 KB at a time as addresses are given to calls, and goes back when the last call
// of a /13 goes. Small pages on purpose: large ones would be taken for single addresses, or made
// under the workers' hands.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace culvert::dataplane {

class ClientTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  static absl::StatusOr<std::unique_ptr<ClientTable>> Create();
  ~ClientTable();
  ClientTable(const ClientTable&) = delete;
  ClientTable& operator=(const ClientTable&) = delete;

  // Find gives the index of the call that has `address` (host order), or kNone. Any thread.
  [[nodiscard]] uint32_t Find(uint32_t address) const {
    return entries_[address].load(std::memory_order_relaxed) - 1;
  }
  // Entry is what Find reads, for prefetching.
  [[nodiscard]] const void* Entry(uint32_t address) const { return &entries_[address]; }

  // Control side, one thread at a time.
  // Set gives an address that nobody has to a call; RESOURCE_EXHAUSTED when the kernel refuses
  // memory.
  absl::Status Set(uint32_t address, uint32_t call_index);
  void Erase(uint32_t address);
  // First gives the lowest address from `from` to `last` that a call has; false: none.
  [[nodiscard]] bool First(uint32_t from, uint32_t last, uint32_t* address) const;

 private:
  static constexpr unsigned kRegionBits = 19;  // 2 MB of entries, a /13
  static constexpr uint32_t kNumRegions = 1U << (32 - kRegionBits);
  static constexpr size_t kRegionLen = sizeof(uint32_t) << kRegionBits;

  explicit ClientTable(void* memory);
  [[nodiscard]] void* Region(uint32_t region) const {
    return entries_ + (static_cast<size_t>(region) << kRegionBits);
  }

  std::atomic<uint32_t>* entries_;   // call index + 1; 0: nobody
  std::vector<uint32_t> num_calls_;  // in each region
};

}  // namespace culvert::dataplane
