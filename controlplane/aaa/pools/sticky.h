// Sticky remembers what a user had last, an address or a prefix, for as many users as it has room
// for; the ones seen longest ago give way. Nothing is lost but the preference.
#pragma once

#include <absl/hash/hash.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace culvert {

// Not thread-safe. O(1); memory is taken at the first user: 12 octets and a value each, padded.
template <typename Value>
class Sticky {
 public:
  // `capacity` users, 0: none. `seed` keeps users from choosing whom they displace.
  Sticky(size_t capacity, uint64_t seed)
      : seed_(seed), num_entries_((capacity + kWays - 1) / kWays * kWays) {}

  void Remember(std::string_view user, Value value) {
    if (num_entries_ == 0) {
      return;
    }
    entries_.resize(num_entries_);
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
    entries_[chosen] = {.key = key, .age = ++clock_, .value = value};
  }
  // Recall gives nullopt for a user that is not remembered.
  [[nodiscard]] std::optional<Value> Recall(std::string_view user) const {
    if (entries_.empty()) {
      return std::nullopt;
    }
    const uint64_t key = KeyOf(user);
    const size_t first = FirstOf(key);
    for (size_t i = first; i < first + kWays; ++i) {
      if (entries_[i].key == key) {
        return entries_[i].value;
      }
    }
    return std::nullopt;
  }

 private:
  static constexpr size_t kWays = 4;
  struct Entry {
    uint64_t key = 0;  // 0: empty
    uint32_t age = 0;  // value of clock_ when it was written
    Value value = {};
  };
  [[nodiscard]] uint64_t KeyOf(std::string_view user) const {
    const uint64_t key = absl::HashOf(seed_, user);
    return key == 0 ? 1 : key;
  }
  // FirstOf: where the kWays entries begin that a key may stand in.
  [[nodiscard]] size_t FirstOf(uint64_t key) const { return key % (num_entries_ / kWays) * kWays; }

  uint64_t seed_;
  size_t num_entries_;
  uint32_t clock_ = 0;  // counts writes; differences are right across its wrap
  std::vector<Entry> entries_;
};

}  // namespace culvert
