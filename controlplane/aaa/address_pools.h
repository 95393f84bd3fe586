// AddressPools hands out the clients' inner addresses: from the configured ranges, or fixed to a
// user. No address is ever given to two calls at once. A returned address rests, so that late
// packets of its old call do not reach a new one; when nothing else is left, the one that has
// rested longest is given. Any thread; O(1) but for a nearly full pool, where a search over
// blocks of 4096 addresses may follow.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "proto/config/address.h"

namespace culvert {

class AddressPools {
 public:
  // Below gives a random number below `bound`; it is called under the lock.
  using Below = std::function<uint32_t(uint32_t bound)>;

  struct Pool {
    std::string name;
    std::vector<config::Ipv4Range> ranges;
  };
  // `pools` do not overlap and are used in order, and so are a pool's ranges. Random choice
  // within a range.
  AddressPools(const std::vector<Pool>& pools, uint64_t rest_ms, Below below);

  // Reserve keeps an address out of Allocate(): the gateway's, or a user's own. Before any call.
  void Reserve(uint32_t address);

  // Allocate gives nullopt when all addresses are in use.
  [[nodiscard]] std::optional<uint32_t> Allocate(uint64_t now_ms);
  // AcquireFixed takes one reserved address; false: a call has it.
  [[nodiscard]] bool AcquireFixed(uint32_t address);
  // Release takes back what either of them gave.
  void Release(uint32_t address, uint64_t now_ms);

  struct Usage {
    std::string name;
    uint64_t size = 0;    // reserved ones left out
    uint64_t in_use = 0;  // by calls
  };
  // usage has one entry a pool, in their order.
  [[nodiscard]] std::vector<Usage> usage() const;

 private:
  // Bits of 4096 addresses; the words exist only while one is taken.
  struct Block {
    std::vector<uint64_t> words;
    uint32_t taken = 0;
  };
  struct Range {
    config::Ipv4Range span;
    size_t pool = 0;  // index into pools_
    std::vector<Block> blocks;
    uint64_t taken = 0;
  };
  struct Resting {
    uint32_t address;
    uint64_t until_ms;
  };
  Range* Find(uint32_t address) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static bool TryTake(Range& range, uint64_t offset);
  static void Free(Range& range, uint64_t offset);
  std::optional<uint32_t> TakeFrom(Range& range) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const uint64_t rest_ms_;
  const Below below_;
  mutable absl::Mutex mutex_;
  std::vector<Range> ranges_ ABSL_GUARDED_BY(mutex_);
  std::deque<Resting> resting_ ABSL_GUARDED_BY(mutex_);  // oldest first; their bits stay set
  std::unordered_set<uint32_t> reserved_ ABSL_GUARDED_BY(mutex_);
  std::unordered_set<uint32_t> fixed_in_use_ ABSL_GUARDED_BY(mutex_);
  std::vector<Usage> pools_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace culvert
