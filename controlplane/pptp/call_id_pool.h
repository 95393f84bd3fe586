// CallIdPool hands out the Call IDs of one local address: at random, so that nobody can
// guess the next one, and not again until they have rested, so that late packets of an
// old call do not find a new one. One thread. O(1); 128 KiB when all ids are free.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

namespace culvert::pptp {

class CallIdPool {
 public:
  // Below gives a cryptographically random number below `bound`.
  using Below = std::function<uint32_t(uint32_t bound)>;

  // The pool holds the ids of 1-65535 with id % num_shards == shard: the id names the shard.
  CallIdPool(uint32_t shard, uint32_t num_shards, uint64_t rest_ms, Below below);

  // Allocate gives 0 when no id is free.
  uint16_t Allocate(uint64_t now_ms);
  // Release takes back an id that was allocated. Unused: no peer has seen it, no need to rest.
  void Release(uint16_t call_id, uint64_t now_ms);
  void ReleaseUnused(uint16_t call_id) { free_.push_back(call_id); }

 private:
  struct Resting {
    uint16_t call_id;
    uint64_t until_ms;
  };
  uint64_t rest_ms_;
  Below below_;
  std::vector<uint16_t> free_;
  std::deque<Resting> resting_;  // oldest first
};

}  // namespace culvert::pptp
