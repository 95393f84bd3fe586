#include "controlplane/aaa/address_pools.h"

#include <algorithm>

namespace culvert {

namespace {
constexpr uint64_t kBlockLen = 4096;  // addresses
constexpr int kRandomTries = 16;      // a pool that is 80 % full is missed by all with 3 %
}  // namespace

AddressPools::AddressPools(const std::vector<Pool>& pools, uint64_t rest_ms, Below below)
    : rest_ms_(rest_ms), below_(std::move(below)) {
  absl::MutexLock lock(&mutex_);
  for (const Pool& pool : pools) {
    pools_.push_back({.name = pool.name, .size = 0, .in_use = 0});
    for (const config::Ipv4Range& span : pool.ranges) {
      ranges_.push_back({.span = span, .pool = pools_.size() - 1, .blocks = {}, .taken = 0});
      ranges_.back().blocks.resize((span.Size() + kBlockLen - 1) / kBlockLen);
      pools_.back().size += span.Size();
    }
  }
}

void AddressPools::Reserve(uint32_t address) {
  absl::MutexLock lock(&mutex_);
  if (!reserved_.insert(address).second) {
    return;
  }
  Range* range = Find(address);
  if (range != nullptr && TryTake(*range, address - range->span.first)) {
    --pools_[range->pool].size;
  }
}

std::optional<uint32_t> AddressPools::Allocate(uint64_t now_ms) {
  absl::MutexLock lock(&mutex_);
  while (!resting_.empty() && resting_.front().until_ms <= now_ms) {
    uint32_t address = resting_.front().address;
    resting_.pop_front();
    Range* range = Find(address);
    Free(*range, address - range->span.first);
  }
  for (Range& range : ranges_) {
    if (std::optional<uint32_t> address = TakeFrom(range)) {
      ++pools_[range.pool].in_use;
      return address;
    }
  }
  if (resting_.empty()) {
    return std::nullopt;
  }
  uint32_t address = resting_.front().address;
  resting_.pop_front();
  ++pools_[Find(address)->pool].in_use;
  return address;
}

std::optional<uint32_t> AddressPools::TakeFrom(Range& range) {
  uint64_t size = range.span.Size();
  if (range.taken == size) {
    return std::nullopt;
  }
  auto bound = static_cast<uint32_t>(std::min<uint64_t>(size, UINT32_MAX));
  for (int i = 0; i < kRandomTries; ++i) {
    uint32_t offset = below_(bound);
    if (TryTake(range, offset)) {
      return range.span.first + offset;
    }
  }
  // Nearly full: from a random block on, the first that has room.
  size_t start = below_(static_cast<uint32_t>(range.blocks.size()));
  for (size_t i = 0; i < range.blocks.size(); ++i) {
    uint64_t block = (start + i) % range.blocks.size();
    uint64_t len = std::min(kBlockLen, size - block * kBlockLen);
    if (range.blocks[block].taken == len) {
      continue;
    }
    uint64_t first = below_(static_cast<uint32_t>(len));
    for (uint64_t j = 0; j < len; ++j) {
      uint64_t offset = block * kBlockLen + (first + j) % len;
      if (TryTake(range, offset)) {
        return range.span.first + static_cast<uint32_t>(offset);
      }
    }
  }
  return std::nullopt;
}

bool AddressPools::AcquireFixed(uint32_t address) {
  absl::MutexLock lock(&mutex_);
  return fixed_in_use_.insert(address).second;
}

void AddressPools::Release(uint32_t address, uint64_t now_ms) {
  absl::MutexLock lock(&mutex_);
  if (fixed_in_use_.erase(address) != 0) {
    return;
  }
  Range* range = Find(address);
  if (range == nullptr || reserved_.contains(address)) {
    return;
  }
  resting_.push_back({.address = address, .until_ms = now_ms + rest_ms_});
  --pools_[range->pool].in_use;
}

std::vector<AddressPools::Usage> AddressPools::usage() const {
  absl::MutexLock lock(&mutex_);
  return pools_;
}

AddressPools::Range* AddressPools::Find(uint32_t address) {
  auto it = std::find_if(ranges_.begin(), ranges_.end(),
                         [&](const Range& range) { return range.span.Contains(address); });
  return it == ranges_.end() ? nullptr : &*it;
}

bool AddressPools::TryTake(Range& range, uint64_t offset) {
  Block& block = range.blocks[offset / kBlockLen];
  if (block.words.empty()) {
    block.words.resize(kBlockLen / 64);
  }
  uint64_t& word = block.words[offset % kBlockLen / 64];
  uint64_t bit = uint64_t{1} << (offset % 64);
  if ((word & bit) != 0) {
    return false;
  }
  word |= bit;
  ++block.taken;
  ++range.taken;
  return true;
}

void AddressPools::Free(Range& range, uint64_t offset) {
  Block& block = range.blocks[offset / kBlockLen];
  block.words[offset % kBlockLen / 64] &= ~(uint64_t{1} << (offset % 64));
  --range.taken;
  if (--block.taken == 0) {
    block.words = {};
  }
}

}  // namespace culvert
