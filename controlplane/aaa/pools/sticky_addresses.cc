#include "controlplane/aaa/pools/sticky_addresses.h"

#include <absl/hash/hash.h>

#include <tuple>

namespace culvert {

StickyAddresses::StickyAddresses(size_t capacity, uint64_t seed)
    : seed_(seed), entries_((capacity + kWays - 1) / kWays * kWays) {}

uint64_t StickyAddresses::KeyOf(std::string_view user) const {
  const uint64_t key = absl::HashOf(seed_, user);
  return key == 0 ? 1 : key;
}

void StickyAddresses::Remember(std::string_view user, uint32_t address) {
  if (entries_.empty()) {
    return;
  }
  const uint64_t key = KeyOf(user);
  const size_t first = FirstOf(key);
  size_t chosen = first;
  for (size_t i = first; i < first + kWays; ++i) {
    if (entries_[i].key == key) {
      chosen = i;
      break;
    }
    const bool older = clock_ - entries_[i].age > clock_ - entries_[chosen].age;
    if (entries_[chosen].key != 0 && (entries_[i].key == 0 || older)) {
      chosen = i;
    }
  }
  entries_[chosen] = {.key = key, .address = address, .age = ++clock_};
}

std::optional<uint32_t> StickyAddresses::Recall(std::string_view user) const {
  if (entries_.empty()) {
    return std::nullopt;
  }
  const uint64_t key = KeyOf(user);
  const size_t first = FirstOf(key);
  for (size_t i = first; i < first + kWays; ++i) {
    if (entries_[i].key == key) {
      return entries_[i].address;
    }
  }
  return std::nullopt;
}

}  // namespace culvert
