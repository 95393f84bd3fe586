// PrefixPools hands out IPv6 prefixes: from named pools, or fixed to a user. None that is given
// overlaps another that a call holds. A returned one rests, so that late packets of its old call do
// not reach a new one; when nothing else is left, the one that has rested longest is given. Any
// thread; O(log n) of what is held.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/container/btree_map.h>
#include <absl/numeric/int128.h>
#include <absl/synchronization/mutex.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/config/address/address6.h"

namespace culvert::ipv6 {

class PrefixPools {
 public:
  struct Pool {
    std::string name;
    uint8_t length = 64;                       // of what is handed out
    std::vector<config::Ipv6Prefix> prefixes;  // it is taken from; none longer
  };
  // `pools` do not overlap; a pool's prefixes are used in order.
  PrefixPools(const std::vector<Pool>& pools, uint64_t rest_ms);

  // Reserve keeps all that overlaps a prefix out of Allocate(). Before any call.
  void Reserve(const config::Ipv6Prefix& prefix);

  // Allocate gives nullopt when no pool has this name, or all its prefixes are in use.
  [[nodiscard]] std::optional<config::Ipv6Prefix> Allocate(std::string_view pool, uint64_t now_ms);
  // AcquireFixed takes this one; false: a call has some of it.
  [[nodiscard]] bool AcquireFixed(const config::Ipv6Prefix& prefix);
  // Release takes back what either of them gave.
  void Release(const config::Ipv6Prefix& prefix, uint64_t now_ms);

  [[nodiscard]] bool Has(std::string_view pool) const;

  struct Usage {
    std::string name;
    uint64_t size = 0;    // at most 2^64 - 1; reserved ones counted
    uint64_t in_use = 0;  // by calls
  };
  // usage has one entry a pool, in their order.
  [[nodiscard]] std::vector<Usage> usage() const;

 private:
  using Number = absl::uint128;
  struct Resting {
    Number first;
    uint64_t until_ms = 0;
  };
  struct State {
    std::string name;
    uint8_t length = 0;
    std::vector<config::Ipv6Prefix> prefixes;
    size_t at = 0;                // of `prefixes`, where `next` is
    Number next = 0;              // the first of what was never given
    bool exhausted = false;       // all was given once
    std::deque<Resting> resting;  // oldest first
    uint64_t in_use = 0;
  };
  struct Held {
    Number last;
    State* pool = nullptr;  // null: fixed, or reserved
  };
  using Ranges = absl::btree_map<Number, Held>;  // by their first address; none overlap

  // Overlapping gives an entry that shares addresses with first to last; null: none.
  static const Ranges::value_type* Overlapping(const Ranges& ranges, Number first, Number last);
  std::optional<Number> TakeResting(State* pool, uint64_t now_ms)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<Number> TakeFresh(State* pool) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  State* Find(std::string_view name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const uint64_t rest_ms_;
  mutable absl::Mutex mutex_;
  std::deque<State> pools_ ABSL_GUARDED_BY(mutex_);
  Ranges held_ ABSL_GUARDED_BY(mutex_);
  Ranges reserved_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace culvert::ipv6
