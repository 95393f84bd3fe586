// Fib6: longest prefix match over IPv6 (the trie of rte_fib6). As Fib; but it is made with the
// first route, so that a network without IPv6 pays nothing.
#pragma once

#include <absl/status/status.h>
#include <rte_fib6.h>

#include <array>
#include <atomic>
#include <cstdint>

#include "dataplane/datapath.h"
#include "dataplane/forwarding/next_hop.h"
#include "proto/wire/byte_order.h"

namespace culvert::dataplane {

using Ipv6Octets = std::array<uint8_t, 16>;  // network order

inline Ipv6Octets ToOctets(Ipv6Number address) {
  Ipv6Octets octets;
  for (int i = 15; i >= 0; --i, address >>= 8) {
    octets[static_cast<size_t>(i)] = static_cast<uint8_t>(absl::Uint128Low64(address));
  }
  return octets;
}
// NumberOf reads 16 octets.
inline Ipv6Number NumberOf(const uint8_t* octets) {
  const auto half = [](const uint8_t* at) {
    return static_cast<uint64_t>(wire::LoadBe32(at)) << 32 | wire::LoadBe32(at + 4);
  };
  return absl::MakeUint128(half(octets), half(octets + 8));
}

class Fib6 {
 public:
  // It takes 64 MB, 256 octets for each of `max_routes`, and 1 KB for as many second-level tables;
  // a prefix needs one for each eight bits beyond 24 that it does not share with others.
  explicit Fib6(uint32_t max_routes) : max_routes_(max_routes) {}
  ~Fib6();
  Fib6(const Fib6&) = delete;
  Fib6& operator=(const Fib6&) = delete;

  // Lookup takes 16 octets in network order. Any thread.
  [[nodiscard]] NextHop Lookup(const uint8_t* address) const {
    rte_fib6* fib = fib_.load(std::memory_order_acquire);
    if (fib == nullptr) {
      return {};
    }
    uint8_t addresses[1][16];
    std::copy(address, address + 16, addresses[0]);
    uint64_t value = 0;
    rte_fib6_lookup_bulk(fib, addresses, &value, 1);
    return NextHop::FromValue(static_cast<uint32_t>(value));
  }

  // empty: never had a route. Any thread.
  [[nodiscard]] bool empty() const { return fib_.load(std::memory_order_relaxed) == nullptr; }

  // Set adds a prefix or changes its value; Erase takes one that may be absent. One thread at a
  // time.
  absl::Status Set(Ipv6Number prefix, uint8_t len, NextHop hop);
  void Erase(Ipv6Number prefix, uint8_t len);

 private:
  absl::Status Make();

  uint32_t max_routes_;
  std::atomic<rte_fib6*> fib_{nullptr};
};

}  // namespace culvert::dataplane
