// Fib: longest prefix match over IPv4 (DIR-24-8 of rte_fib). One writer; workers read while it
// writes. DPDK 22.11 re-uses second-level tables without a grace period, so a lookup that races
// with the removal of a long prefix may give another prefix's value once: users of a value check it
// (a call's address, an adjacency's state).
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <rte_fib.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/forwarding/next_hop.h"

namespace culvert::dataplane {

class Fib {
 public:
  // Create makes an empty table for `max_routes` prefixes; a quarter as many /24s may have longer
  // prefixes in them. It takes 64 MB and 512 octets for each of `max_routes`.
  static absl::StatusOr<std::unique_ptr<Fib>> Create(uint32_t max_routes);
  ~Fib();
  Fib(const Fib&) = delete;
  Fib& operator=(const Fib&) = delete;

  // Lookup takes an address in host order. Any thread.
  [[nodiscard]] NextHop Lookup(uint32_t address) const {
    uint64_t value = 0;
    rte_fib_lookup_bulk(fib_, &address, &value, 1);
    return NextHop::FromValue(static_cast<uint32_t>(value));
  }
  // Lookup of up to kMaxBulk addresses gives NextHop values.
  static constexpr size_t kMaxBulk = 64;
  void Lookup(std::span<uint32_t> addresses, uint64_t* values) const {
    rte_fib_lookup_bulk(fib_, addresses.data(), values, static_cast<int>(addresses.size()));
  }
  // epoch changes after every change of the table; results may be kept while it stays. Any thread.
  [[nodiscard]] uint32_t epoch() const { return epoch_.load(std::memory_order_acquire); }
  // NewEpoch also says that an adjacency's slot was re-used.
  void NewEpoch() { epoch_.store(epoch_.load() + 1, std::memory_order_release); }

  // Set adds a prefix or changes its value; Erase takes one that may be absent.
  absl::Status Set(uint32_t prefix, uint8_t len, NextHop hop);
  void Erase(uint32_t prefix, uint8_t len);

 private:
  explicit Fib(rte_fib* fib) : fib_(fib) {}

  rte_fib* fib_;
  std::atomic<uint32_t> epoch_{1};
};

}  // namespace culvert::dataplane
