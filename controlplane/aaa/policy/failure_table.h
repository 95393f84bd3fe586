// FailureTable counts failures by key, in a memory that does not grow: sets of a few places each,
// where a new key takes the place that matters least. Not thread-safe. O(1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace culvert {

class FailureTable {
 public:
  // `capacity`: keys that it has room for, at 32 octets each.
  explicit FailureTable(size_t capacity);

  // Locked: whether the key is locked at `now_ms`.
  [[nodiscard]] bool Locked(uint64_t key, uint64_t now_ms) const;
  // Add counts a failure. With the `max`th within `window_ms` the key is locked for `duration_ms`
  // and its count begins anew; true: this one did it.
  bool Add(uint64_t key, uint32_t max, uint64_t window_ms, uint64_t duration_ms, uint64_t now_ms);
  // Forget takes a key's failures back.
  void Forget(uint64_t key);
  // CountLocked walks the whole table.
  [[nodiscard]] size_t CountLocked(uint64_t now_ms) const;

 private:
  static constexpr size_t kWays = 8;
  struct Entry {
    uint64_t key = 0;  // 0: empty
    uint64_t window_end_ms = 0;
    uint64_t locked_until_ms = 0;
    uint32_t count = 0;
  };
  [[nodiscard]] size_t FirstOf(uint64_t key) const {
    return key % (entries_.size() / kWays) * kWays;
  }
  [[nodiscard]] const Entry* Find(uint64_t key) const;
  Entry& Place(uint64_t key, uint64_t now_ms);

  std::vector<Entry> entries_;
};

}  // namespace culvert
