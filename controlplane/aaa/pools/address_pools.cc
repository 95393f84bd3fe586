#include "controlplane/aaa/pools/address_pools.h"

#include <algorithm>

namespace culvert {

namespace {

constexpr size_t kMaxScan = 4096;  // resting addresses looked at for one that a user may have

// Overlap calls `take` with each part of `span` that the wish allows, until one gives an address.
template <typename Take>
std::optional<uint32_t> Overlap(const config::Ipv4Range& span, const AddressPools::Wish& wish,
                                Take take) {
  if (wish.allowed == nullptr) {
    return take(span);
  }
  for (const config::Ipv4Range& allowed : *wish.allowed) {
    const config::Ipv4Range part = {.first = std::max(span.first, allowed.first),
                                    .last = std::min(span.last, allowed.last)};
    if (part.first > part.last) {
      continue;
    }
    if (std::optional<uint32_t> address = take(part)) {
      return address;
    }
  }
  return std::nullopt;
}

bool Allows(const AddressPools::Wish& wish, uint32_t address) {
  return wish.allowed == nullptr ||
         std::any_of(wish.allowed->begin(), wish.allowed->end(),
                     [&](const config::Ipv4Range& range) { return range.Contains(address); });
}

}  // namespace

AddressPools::AddressPools(const std::vector<Pool>& pools, uint64_t rest_ms, Below below,
                           size_t num_sticky)
    : below_(std::move(below)), rest_ms_(rest_ms), sticky_(num_sticky, below_(UINT32_MAX)) {
  absl::MutexLock lock(&mutex_);
  Build(pools);
}

void AddressPools::Build(const std::vector<Pool>& pools) {
  pools_.clear();
  ranges_.clear();
  chains_.clear();
  for (const Pool& pool : pools) {
    State& state = pools_.emplace_back();
    state.pool = pool;
    for (const config::Ipv4Range& span : pool.ranges) {
      ranges_.push_back({.span = span, .pool = pools_.size() - 1});
      state.total += span.Size();
    }
  }
  std::sort(ranges_.begin(), ranges_.end(),
            [](const Range& a, const Range& b) { return a.span.first < b.span.first; });
  Chain everybody;
  for (size_t i = 0; i < pools_.size(); ++i) {
    Chain chain;
    Follow(i, chain);
    if (!pools_[i].pool.named_only) {
      Follow(i, everybody);
    }
    chains_.emplace(pools_[i].pool.name, std::move(chain));
  }
  chains_[""] = std::move(everybody);
}

void AddressPools::Follow(size_t pool, Chain& chain) const {
  while (std::find(chain.begin(), chain.end(), pool) == chain.end()) {
    chain.push_back(pool);
    const auto next = std::find_if(pools_.begin(), pools_.end(), [&](const State& state) {
      return !state.pool.name.empty() && state.pool.name == pools_[pool].pool.next;
    });
    if (next == pools_.end()) {
      return;
    }
    pool = static_cast<size_t>(next - pools_.begin());
  }
}

void AddressPools::Reconfigure(const std::vector<Pool>& pools, uint64_t rest_ms) {
  absl::MutexLock lock(&mutex_);
  rest_ms_ = rest_ms;
  std::vector<std::pair<uint64_t, uint32_t>> resting;  // until when, address
  std::map<std::string, uint64_t> refused;
  for (const State& state : pools_) {
    refused[state.pool.name] = state.refused;
    state.resting.ForEach(
        [&](uint32_t address, uint64_t until_ms) { resting.emplace_back(until_ms, address); });
  }
  std::sort(resting.begin(), resting.end());
  Build(pools);
  for (const auto& [address, in_use] : reserved_) {
    if (State* state = PoolOf(address)) {
      ++state->reserved;
    }
  }
  for (const auto& [until_ms, address] : resting) {
    if (State* state = PoolOf(address)) {
      state->resting.Add(address, until_ms);
    } else {
      occupancy_.Free(address);
    }
  }
  for (State& state : pools_) {
    uint64_t taken = 0;
    for (const config::Ipv4Range& span : state.pool.ranges) {
      taken += occupancy_.Count(span);
    }
    state.in_use = taken - state.reserved - state.resting.size();
    state.refused = refused[state.pool.name];
  }
}

void AddressPools::Reserve(uint32_t address) {
  absl::MutexLock lock(&mutex_);
  if (reserved_.contains(address)) {
    return;
  }
  State* state = PoolOf(address);
  const bool in_use = !StopResting(address) && !occupancy_.Take(address);
  reserved_[address] = in_use;
  if (state != nullptr) {
    ++state->reserved;
    state->in_use -= in_use ? 1 : 0;
  }
}

void AddressPools::Unreserve(uint32_t address) {
  absl::MutexLock lock(&mutex_);
  auto it = reserved_.find(address);
  if (it == reserved_.end()) {
    return;
  }
  const bool in_use = it->second;
  reserved_.erase(it);
  if (State* state = PoolOf(address)) {
    --state->reserved;
    state->in_use += in_use ? 1 : 0;
  }
  if (!in_use) {
    occupancy_.Free(address);
  }
}

std::optional<uint32_t> AddressPools::Allocate(uint64_t now_ms, const Wish& wish) {
  absl::MutexLock lock(&mutex_);
  auto chain = chains_.find(wish.pool);
  if (chain == chains_.end() || chain->second.empty()) {
    return std::nullopt;
  }
  for (const size_t pool : chain->second) {
    WakeRested(pools_[pool], now_ms);
  }
  const std::optional<uint32_t> address = Choose(chain->second, wish);
  if (!address) {
    ++pools_[chain->second.back()].refused;
    return std::nullopt;
  }
  ++PoolOf(*address)->in_use;
  if (!wish.user.empty()) {
    sticky_.Remember(wish.user, *address);
  }
  return address;
}

std::optional<uint32_t> AddressPools::Choose(const Chain& chain, const Wish& wish) {
  if (std::optional<uint32_t> address = TakeSame(chain, wish)) {
    return address;
  }
  for (const size_t pool : chain) {
    if (std::optional<uint32_t> address = TakeFree(pools_[pool], wish)) {
      return address;
    }
  }
  for (const size_t pool : chain) {
    if (std::optional<uint32_t> address = TakeResting(pools_[pool], wish)) {
      return address;
    }
  }
  return std::nullopt;
}

std::optional<uint32_t> AddressPools::TakeSame(const Chain& chain, const Wish& wish) {
  std::optional<uint32_t> address;
  if (!wish.user.empty()) {
    address = sticky_.Recall(wish.user);
  }
  if (!address || !Allows(wish, *address)) {
    return std::nullopt;
  }
  const State* state = PoolOf(*address);
  if (state == nullptr || std::none_of(chain.begin(), chain.end(),
                                       [&](size_t pool) { return &pools_[pool] == state; })) {
    return std::nullopt;
  }
  if (StopResting(*address) || occupancy_.Take(*address)) {
    return address;
  }
  return std::nullopt;
}

std::optional<uint32_t> AddressPools::TakeFree(const State& state, const Wish& wish) {
  if (state.reserved + state.in_use + state.resting.size() == state.total) {
    return std::nullopt;
  }
  for (const config::Ipv4Range& span : state.pool.ranges) {
    if (std::optional<uint32_t> address =
            Overlap(span, wish, [&](const config::Ipv4Range& part) ABSL_NO_THREAD_SAFETY_ANALYSIS {
              return occupancy_.TakeAny(part, below_);
            })) {
      return address;
    }
  }
  return std::nullopt;
}

std::optional<uint32_t> AddressPools::TakeResting(State& state, const Wish& wish) {
  // The bit stays: the address is in use again.
  return state.resting.TakeOldest(kMaxScan,
                                  [&](uint32_t address) { return Allows(wish, address); });
}

void AddressPools::WakeRested(State& state, uint64_t now_ms) {
  state.resting.Wake(
      now_ms, [&](uint32_t address) ABSL_NO_THREAD_SAFETY_ANALYSIS { occupancy_.Free(address); });
}

bool AddressPools::StopResting(uint32_t address) {
  State* state = PoolOf(address);
  return state != nullptr && state->resting.Remove(address);
}

bool AddressPools::HasPool(std::string_view name) const {
  absl::MutexLock lock(&mutex_);
  return chains_.contains(name);
}

bool AddressPools::AcquireFixed(uint32_t address) {
  absl::MutexLock lock(&mutex_);
  if (auto it = reserved_.find(address); it != reserved_.end()) {
    return !std::exchange(it->second, true);
  }
  if (!StopResting(address) && !occupancy_.Take(address)) {
    return false;
  }
  if (State* state = PoolOf(address)) {
    ++state->in_use;
  }
  return true;
}

void AddressPools::Release(uint32_t address, uint64_t now_ms) {
  absl::MutexLock lock(&mutex_);
  if (auto it = reserved_.find(address); it != reserved_.end()) {
    it->second = false;
    return;
  }
  State* state = PoolOf(address);
  if (!occupancy_.Taken(address) || (state != nullptr && state->resting.Contains(address))) {
    return;
  }
  if (state == nullptr) {
    return occupancy_.Free(address);
  }
  --state->in_use;
  state->resting.Add(address, now_ms + rest_ms_);
}

std::vector<AddressPools::Usage> AddressPools::usage() const {
  absl::MutexLock lock(&mutex_);
  std::vector<Usage> usage;
  for (const State& state : pools_) {
    usage.push_back({.name = state.pool.name,
                     .size = state.total - state.reserved,
                     .in_use = state.in_use,
                     .resting = state.resting.size(),
                     .refused = state.refused});
  }
  return usage;
}

AddressPools::State* AddressPools::PoolOf(uint32_t address) {
  auto it = std::upper_bound(
      ranges_.begin(), ranges_.end(), address,
      [](uint32_t wanted, const Range& range) { return wanted < range.span.first; });
  if (it == ranges_.begin() || !std::prev(it)->span.Contains(address)) {
    return nullptr;
  }
  return &pools_[std::prev(it)->pool];
}

}  // namespace culvert
