// Resting is what was given back and is better not given again yet: addresses and prefixes, oldest
// first. What is taken out of its rest leaves an entry behind that is void, and is dropped in time.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace culvert {

// Not thread-safe. O(1), amortised.
template <typename Key>
class Resting {
 public:
  // Add: `until_ms` is not before that of earlier ones, but for a change of the time of rest.
  void Add(Key key, uint64_t until_ms) {
    until_[key] = until_ms;
    queue_.push_back({.key = key, .until_ms = until_ms});
    constexpr size_t kSlack = 64;
    if (queue_.size() > 2 * until_.size() + kSlack) {
      std::erase_if(queue_, [this](const Entry& entry) { return !Valid(entry); });
    }
  }
  // Remove is false when it does not rest.
  bool Remove(Key key) { return until_.erase(key) != 0; }
  [[nodiscard]] bool Contains(Key key) const { return until_.contains(key); }
  [[nodiscard]] size_t size() const { return until_.size(); }

  // Wake calls `woken` with each whose rest is over at `now_ms`.
  template <typename Woken>
  void Wake(uint64_t now_ms, Woken woken) {
    while (!queue_.empty() && (!Valid(queue_.front()) || queue_.front().until_ms <= now_ms)) {
      const Entry entry = queue_.front();
      queue_.pop_front();
      if (Valid(entry)) {
        until_.erase(entry.key);
        woken(entry.key);
      }
    }
  }
  // TakeOldest takes the first, among the `max_scan` oldest, that `fits`.
  template <typename Fits>
  std::optional<Key> TakeOldest(size_t max_scan, Fits fits) {
    while (!queue_.empty() && !Valid(queue_.front())) {
      queue_.pop_front();
    }
    const size_t num_seen = std::min(queue_.size(), max_scan);
    for (size_t i = 0; i < num_seen; ++i) {
      const Entry entry = queue_[i];
      if (Valid(entry) && fits(entry.key)) {
        until_.erase(entry.key);
        return entry.key;
      }
    }
    return std::nullopt;
  }
  // ForEach calls `visit(key, until_ms)`, oldest first.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (const Entry& entry : queue_) {
      if (Valid(entry)) {
        visit(entry.key, entry.until_ms);
      }
    }
  }

 private:
  struct Entry {
    Key key;
    uint64_t until_ms;
  };
  [[nodiscard]] bool Valid(const Entry& entry) const {
    const auto it = until_.find(entry.key);
    return it != until_.end() && it->second == entry.until_ms;
  }

  std::deque<Entry> queue_;
  absl::flat_hash_map<Key, uint64_t> until_;
};

}  // namespace culvert
