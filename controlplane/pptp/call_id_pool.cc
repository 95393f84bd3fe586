#include "controlplane/pptp/call_id_pool.h"

#include <utility>

namespace culvert::pptp {

CallIdPool::CallIdPool(uint32_t shard, uint32_t num_shards, uint64_t rest_ms, Below below)
    : rest_ms_(rest_ms), below_(std::move(below)) {
  for (uint32_t id = 1; id <= 65535; ++id) {
    if (id % num_shards == shard) {
      free_.push_back(static_cast<uint16_t>(id));
    }
  }
}

uint16_t CallIdPool::Allocate(uint64_t now_ms) {
  while (!resting_.empty() && resting_.front().until_ms <= now_ms) {
    free_.push_back(resting_.front().call_id);
    resting_.pop_front();
  }
  if (free_.empty()) {
    return 0;
  }
  std::swap(free_[below_(static_cast<uint32_t>(free_.size()))], free_.back());
  uint16_t call_id = free_.back();
  free_.pop_back();
  return call_id;
}

void CallIdPool::Release(uint16_t call_id, uint64_t now_ms) {
  resting_.push_back({.call_id = call_id, .until_ms = now_ms + rest_ms_});
}

}  // namespace culvert::pptp
