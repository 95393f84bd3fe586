#include "controlplane/aaa/policy/failure_table.h"

#include <algorithm>
#include <tuple>

namespace culvert {

FailureTable::FailureTable(size_t capacity)
    : entries_(std::max<size_t>(1, (capacity + kWays - 1) / kWays) * kWays) {}

const FailureTable::Entry* FailureTable::Find(uint64_t key) const {
  const size_t first = FirstOf(key);
  for (size_t i = first; i < first + kWays; ++i) {
    if (entries_[i].key == key) {
      return &entries_[i];
    }
  }
  return nullptr;
}

bool FailureTable::Locked(uint64_t key, uint64_t now_ms) const {
  const Entry* entry = Find(key);
  return entry != nullptr && now_ms < entry->locked_until_ms;
}

FailureTable::Entry& FailureTable::Place(uint64_t key, uint64_t now_ms) {
  if (const Entry* found = Find(key)) {
    return entries_[static_cast<size_t>(found - entries_.data())];
  }
  // Least of all matters what is over, then few failures, then those whose window ends first. What
  // is locked goes last: a flood of names must not unlock anybody as long as there is another.
  const auto worth = [&](const Entry& entry) {
    const uint64_t locked_until = now_ms < entry.locked_until_ms ? entry.locked_until_ms : 0;
    const uint32_t count = now_ms < entry.window_end_ms ? entry.count : 0;
    return std::tuple(locked_until, count, entry.window_end_ms);
  };
  const size_t first = FirstOf(key);
  Entry& chosen =
      *std::min_element(entries_.begin() + static_cast<std::ptrdiff_t>(first),
                        entries_.begin() + static_cast<std::ptrdiff_t>(first + kWays),
                        [&](const Entry& a, const Entry& b) { return worth(a) < worth(b); });
  chosen = {.key = key};
  return chosen;
}

bool FailureTable::Add(uint64_t key, uint32_t max, uint64_t window_ms, uint64_t duration_ms,
                       uint64_t now_ms) {
  Entry& entry = Place(key, now_ms);
  if (now_ms >= entry.window_end_ms) {
    entry.count = 0;
    entry.window_end_ms = now_ms + window_ms;
  }
  if (++entry.count < max) {
    return false;
  }
  entry.count = 0;
  entry.locked_until_ms = now_ms + duration_ms;
  return true;
}

void FailureTable::Forget(uint64_t key) {
  if (const Entry* found = Find(key)) {
    entries_[static_cast<size_t>(found - entries_.data())] = {};
  }
}

size_t FailureTable::CountLocked(uint64_t now_ms) const {
  return static_cast<size_t>(std::count_if(
      entries_.begin(), entries_.end(),
      [&](const Entry& entry) { return entry.key != 0 && now_ms < entry.locked_until_ms; }));
}

}  // namespace culvert
