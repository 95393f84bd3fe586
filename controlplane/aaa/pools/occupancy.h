// Occupancy: one bit for every IPv4 address, kept only where one is set. It knows nothing of
// pools, so these may change while addresses are taken.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "proto/config/address/address.h"

namespace culvert {

// Not thread-safe.
class Occupancy {
 public:
  using Below = std::function<uint32_t(uint32_t bound)>;

  // Take is false when the address is taken.
  bool Take(uint32_t address);
  void Free(uint32_t address);
  [[nodiscard]] bool Taken(uint32_t address) const;
  // Count gives how many addresses of `span` are taken.
  [[nodiscard]] uint64_t Count(const config::Ipv4Range& span) const;

  // TakeAny takes a free address of `span`: a random one, or when the span is nearly full the
  // first after a random one. nullopt: all are taken.
  std::optional<uint32_t> TakeAny(const config::Ipv4Range& span, const Below& below);

 private:
  static constexpr uint32_t kBlockBits = 12;
  static constexpr uint32_t kBlockLen = 1 << kBlockBits;  // addresses
  struct Block {
    uint64_t words[kBlockLen / 64] = {};
    uint32_t taken = 0;
  };
  // FirstFree looks in [first, last], both in one block.
  [[nodiscard]] std::optional<uint32_t> FirstFree(uint32_t first, uint32_t last) const;
  std::optional<uint32_t> FirstFreeFrom(uint32_t first, uint32_t last) const;

  absl::flat_hash_map<uint32_t, std::unique_ptr<Block>> blocks_;  // by address >> kBlockBits
};

}  // namespace culvert
