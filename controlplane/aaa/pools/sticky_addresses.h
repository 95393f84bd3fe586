// StickyAddresses remembers which address a user had last, for as many users as it has room for;
// the ones seen longest ago give way. Nothing is lost but the preference.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace culvert {

// Not thread-safe. O(1); memory is taken once: 16 octets a user.
class StickyAddresses {
 public:
  // `capacity` users, 0: none. `seed` keeps users from choosing whom they displace.
  StickyAddresses(size_t capacity, uint64_t seed);

  void Remember(std::string_view user, uint32_t address);
  // Recall gives nullopt for a user that is not remembered.
  [[nodiscard]] std::optional<uint32_t> Recall(std::string_view user) const;

 private:
  static constexpr size_t kWays = 4;
  struct Entry {
    uint64_t key = 0;  // 0: empty
    uint32_t address = 0;
    uint32_t age = 0;  // value of clock_ when it was written
  };
  [[nodiscard]] uint64_t KeyOf(std::string_view user) const;
  // FirstOf: where the kWays entries begin that a key may stand in.
  [[nodiscard]] size_t FirstOf(uint64_t key) const {
    return key % (entries_.size() / kWays) * kWays;
  }

  const uint64_t seed_;
  uint32_t clock_ = 0;  // counts writes; differences are right across its wrap
  std::vector<Entry> entries_;
};

}  // namespace culvert
