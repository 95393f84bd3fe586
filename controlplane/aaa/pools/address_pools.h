// AddressPools hands out the clients' inner addresses: from named pools, or fixed to a user. No
// address is ever given to two calls at once. A returned address rests, so that late packets of
// its old call do not reach a new one; when nothing else is left, the one that has rested longest
// is given. A user that comes back gets the address it had, when that is free or rests. Any
// thread; O(1) but for a nearly full pool, where a search over blocks of 4096 addresses may follow.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/synchronization/mutex.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/aaa/pools/occupancy.h"
#include "controlplane/aaa/pools/resting.h"
#include "controlplane/aaa/pools/sticky.h"
#include "proto/config/address/address.h"

namespace culvert {

class AddressPools {
 public:
  // Below gives a random number below `bound`; it is called under the lock.
  using Below = Occupancy::Below;

  struct Pool {
    std::string name;
    std::vector<config::Ipv4Range> ranges;
    std::string next = {};    // the pool to go on with when this one is empty; empty: none
    bool named_only = false;  // not for calls that ask for no pool by name
  };
  // `pools` do not overlap; a pool's ranges are used in order, at random within a range.
  // `num_sticky` users are remembered with their address.
  AddressPools(const std::vector<Pool>& pools, uint64_t rest_ms, Below below,
               size_t num_sticky = 0);

  // Reconfigure replaces the pools. A call whose address is in none of them keeps it; the address
  // is free, and nobody's, when it is released. Addresses that rest do so for as long as they were
  // to.
  void Reconfigure(const std::vector<Pool>& pools, uint64_t rest_ms);

  // Reserve keeps an address out of Allocate(): the gateway's, or a user's own. The call that
  // has it, if any, keeps it.
  void Reserve(uint32_t address);
  // Unreserve gives it to the pools again, at once or when the call that has it ends.
  void Unreserve(uint32_t address);

  struct Wish {
    std::string_view user = {};  // empty: no address of its own to come back to
    std::string_view pool = {};  // with those chained to it; empty: all that are not named_only
    const std::vector<config::Ipv4Range>* allowed = nullptr;  // null: any of the pools' addresses
  };
  // Allocate gives nullopt when all addresses are in use.
  [[nodiscard]] std::optional<uint32_t> Allocate(uint64_t now_ms, const Wish& wish);
  [[nodiscard]] std::optional<uint32_t> Allocate(uint64_t now_ms) { return Allocate(now_ms, {}); }
  [[nodiscard]] bool HasPool(std::string_view name) const;
  // AcquireFixed takes this one address, reserved or not; false: a call has it.
  [[nodiscard]] bool AcquireFixed(uint32_t address);
  // Release takes back what either of them gave.
  void Release(uint32_t address, uint64_t now_ms);

  struct Usage {
    std::string name;
    uint64_t size = 0;     // reserved ones left out
    uint64_t in_use = 0;   // by calls
    uint64_t resting = 0;  // free, but better not yet
    uint64_t refused = 0;  // calls that found it empty, as the last of a chain
  };
  // usage has one entry a pool, in their order.
  [[nodiscard]] std::vector<Usage> usage() const;

 private:
  struct State {
    Pool pool;
    uint64_t total = 0, reserved = 0, in_use = 0, refused = 0;
    Resting<uint32_t> resting;
  };
  struct Range {
    config::Ipv4Range span;
    size_t pool = 0;
  };
  using Chain = std::vector<size_t>;  // indices of pools_, in the order they are asked

  void Build(const std::vector<Pool>& pools) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Follow(size_t pool, Chain& chain) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  State* PoolOf(uint32_t address) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WakeRested(State& state, uint64_t now_ms) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool StopResting(uint32_t address) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<uint32_t> Choose(const Chain& chain, const Wish& wish)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<uint32_t> TakeSame(const Chain& chain, const Wish& wish)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<uint32_t> TakeFree(const State& state, const Wish& wish)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<uint32_t> TakeResting(State& state, const Wish& wish)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Below below_;
  mutable absl::Mutex mutex_;
  uint64_t rest_ms_ ABSL_GUARDED_BY(mutex_);
  // A set bit is an address in use, reserved or resting; it need not be in a pool.
  Occupancy occupancy_ ABSL_GUARDED_BY(mutex_);
  std::vector<State> pools_ ABSL_GUARDED_BY(mutex_);
  std::vector<Range> ranges_ ABSL_GUARDED_BY(mutex_);  // of all pools, in ascending order
  std::map<std::string, Chain, std::less<>> chains_ ABSL_GUARDED_BY(mutex_);  // "": the default one
  absl::flat_hash_map<uint32_t, bool> reserved_ ABSL_GUARDED_BY(mutex_);      // in use?
  Sticky<uint32_t> sticky_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace culvert
