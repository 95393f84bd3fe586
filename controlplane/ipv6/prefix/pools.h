// PrefixPools hands out IPv6 prefixes: from named pools, or fixed to a user. None that is given
// overlaps another that a call holds. A returned one rests, so that late packets of its old call do
// not reach a new one; when nothing else is left, the one that has rested longest is given. A user
// that comes back gets the prefix it had, when that is free or rests. Any thread; O(log n) of what
// is held.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/container/btree_map.h>
#include <absl/numeric/int128.h>
#include <absl/synchronization/mutex.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/aaa/pools/resting.h"
#include "controlplane/aaa/pools/sticky.h"
#include "proto/config/address/address6.h"

namespace culvert::ipv6 {

class PrefixPools {
 public:
  struct Pool {
    std::string name;
    uint8_t length = 64;                       // of what is handed out
    std::vector<config::Ipv6Prefix> prefixes;  // it is taken from; none longer
    bool operator==(const Pool&) const = default;
  };
  // `pools` do not overlap; a pool's lowest free prefix is given first. Each pool remembers
  // `num_sticky` users with their prefix; `seed` as of Sticky.
  PrefixPools(const std::vector<Pool>& pools, uint64_t rest_ms, size_t num_sticky = 0,
              uint64_t seed = 0);

  // Reconfigure replaces the pools. A call whose prefix is in none of them keeps it; the prefix is
  // nobody's when it is released.
  void Reconfigure(const std::vector<Pool>& pools, uint64_t rest_ms);

  // SetReserved keeps all that overlaps these, which may overlap each other, out of Allocate(), in
  // place of those before. A call that has some of it keeps it. By one thread at a time.
  void SetReserved(const std::vector<config::Ipv6Prefix>& prefixes);

  // Allocate gives nullopt when no pool has this name, or all its prefixes are in use. `user`:
  // empty for none to come back to.
  [[nodiscard]] std::optional<config::Ipv6Prefix> Allocate(std::string_view pool, uint64_t now_ms,
                                                           std::string_view user = {});
  // AcquireFixed takes this one, reserved or not; false: a call has some of it.
  [[nodiscard]] bool AcquireFixed(const config::Ipv6Prefix& prefix);
  // Release takes back what either of them gave.
  void Release(const config::Ipv6Prefix& prefix, uint64_t now_ms);

  [[nodiscard]] bool Has(std::string_view pool) const;

  struct Usage {
    std::string name;
    uint64_t size = 0;     // at most 2^64 - 1; reserved ones counted
    uint64_t in_use = 0;   // by calls
    uint64_t resting = 0;  // free, but better not yet
    uint64_t refused = 0;  // calls that found it empty
  };
  // usage has one entry a pool, in their order.
  [[nodiscard]] std::vector<Usage> usage() const;

 private:
  using Number = absl::uint128;
  struct Range {
    Number first = 0, last = 0;
  };
  using Ranges = std::vector<Range>;  // ascending, none overlap
  struct State {
    Pool pool;
    absl::btree_map<Number, Number>
        fresh;  // first to last; what is reserved, held or rests is void
    Resting<Number> resting;
    Sticky<Number> sticky;
    uint64_t in_use = 0, refused = 0;
  };
  struct Place {
    Range range;
    size_t pool = 0;
  };
  struct Held {
    Number last;
    bool counted = false;  // in in_use of the pool that it lies in
  };

  void Build(const std::vector<Pool>& pools) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // PoolOf gives the pool that has all from first to last; null: there is none.
  State* PoolOf(Number first, Number last) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // LastTaken gives where what is reserved or held and overlaps first to last ends.
  [[nodiscard]] std::optional<Number> LastTaken(Number first, Number last) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  [[nodiscard]] const std::pair<const Number, Held>* HeldIn(Number first, Number last) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<Number> TakeSame(State& state, std::string_view user)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<Number> TakeFresh(State& state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<Number> TakeResting(State& state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddFresh(Range range) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  State* Find(std::string_view name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t num_sticky_;
  const uint64_t seed_;
  mutable absl::Mutex mutex_;
  uint64_t rest_ms_ ABSL_GUARDED_BY(mutex_);
  std::vector<State> pools_ ABSL_GUARDED_BY(mutex_);
  std::vector<Place> places_ ABSL_GUARDED_BY(mutex_);  // of all pools, ascending
  absl::btree_map<Number, Held> held_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const Ranges> reserved_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace culvert::ipv6
