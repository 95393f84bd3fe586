// CallPrefixes: what a call has besides its IPv4 address, found by the call's index. Calls that
// have nothing of the kind cost nothing.
#pragma once

#include <absl/status/statusor.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/call/call_table.h"
#include "dataplane/datapath.h"

namespace culvert::dataplane {

// Immutable once a worker can see it.
struct CallPrefixes {
  struct Ipv4 {
    uint32_t prefix, mask;  // host order
    bool operator==(const Ipv4&) const = default;
  };
  std::vector<Ipv4> ipv4;  // routed to the call
  struct Ipv6 {
    Ipv6Number prefix, mask;
    bool operator==(const Ipv6&) const = default;
  };
  std::vector<Ipv6> ipv6;     // the call's own /64, when it has one, and what is routed to it
  Ipv6Number ipv6_client{0};  // the /64; 0: none
  bool has_ipv6 = false;
  uint64_t interface_id = 0;  // of its link-local address

  [[nodiscard]] bool Covers(uint32_t address) const {
    return std::any_of(ipv4.begin(), ipv4.end(),
                       [=](const Ipv4& own) { return (address & own.mask) == own.prefix; });
  }
  // What is routed to it.
  [[nodiscard]] std::span<const Ipv6> ipv6_routes() const {
    return std::span(ipv6).subspan(ipv6_client != 0 ? 1 : 0);
  }
  [[nodiscard]] bool Covers(Ipv6Number address) const {
    return std::any_of(ipv6.begin(), ipv6.end(),
                       [=](const Ipv6& own) { return (address & own.mask) == own.prefix; });
  }
};

class CallPrefixTable {
 public:
  static absl::StatusOr<std::unique_ptr<CallPrefixTable>> Create();
  ~CallPrefixTable();
  CallPrefixTable(const CallPrefixTable&) = delete;
  CallPrefixTable& operator=(const CallPrefixTable&) = delete;

  // Find gives null for a call that has none. For the call's worker, until its next command for
  // that call; asked again, also for the same packet, it may answer otherwise. `call_index` below
  // kSize.
  [[nodiscard]] const CallPrefixes* Find(uint32_t call_index) const {
    return entries_[call_index].load(std::memory_order_acquire);
  }
  // Covers tells whether an address that is not the call's own is routed to it.
  template <typename Address>
  [[nodiscard]] bool Covers(uint32_t call_index, Address address) const {
    const CallPrefixes* prefixes = Find(call_index);
    return prefixes != nullptr && prefixes->Covers(address);
  }

  // Exchange gives what was there before, which the call's worker reads until it has taken one more
  // command. Control side, one thread at a time.
  std::unique_ptr<const CallPrefixes> Exchange(uint32_t call_index,
                                               std::unique_ptr<const CallPrefixes> prefixes) {
    return std::unique_ptr<const CallPrefixes>(
        entries_[call_index].exchange(prefixes.release(), std::memory_order_acq_rel));
  }

 private:
  static constexpr uint32_t kSize = kMaxLocalAddresses * kCallsPerAddress;
  using Entry = std::atomic<const CallPrefixes*>;
  explicit CallPrefixTable(void* memory) : entries_(static_cast<Entry*>(memory)) {}

  Entry* entries_;  // reserved; pages of zeros where no call has anything
};

}  // namespace culvert::dataplane
