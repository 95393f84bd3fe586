#include "controlplane/ipv6/prefix_pools.h"

#include <algorithm>
#include <limits>

#include "proto/wire/byte_order.h"

namespace culvert::ipv6 {
namespace {

using Number = absl::uint128;

Number NumberOf(const config::Ipv6Address& address) {
  uint64_t halves[2] = {};
  for (size_t i = 0; i < address.size(); ++i) {
    halves[i / 8] = halves[i / 8] << 8 | address[i];
  }
  return absl::MakeUint128(halves[0], halves[1]);
}

config::Ipv6Address AddressOf(Number number) {
  config::Ipv6Address address{};
  for (size_t i = address.size(); i-- > 0; number >>= 8) {
    address[i] = static_cast<uint8_t>(absl::Uint128Low64(number));
  }
  return address;
}

// HostBits of a length: all ones of the addresses in it.
Number HostBits(unsigned length) {
  return length == 0 ? ~Number{0} : (Number{1} << (128 - length)) - 1;
}

Number FirstOf(const config::Ipv6Prefix& prefix) { return NumberOf(prefix.address); }
Number LastOf(const config::Ipv6Prefix& prefix) {
  return FirstOf(prefix) | HostBits(prefix.length);
}

}  // namespace

PrefixPools::PrefixPools(const std::vector<Pool>& pools, uint64_t rest_ms) : rest_ms_(rest_ms) {
  absl::MutexLock lock(&mutex_);
  for (const Pool& pool : pools) {
    State& state = pools_.emplace_back();
    state.name = pool.name;
    state.length = pool.length;
    state.prefixes = pool.prefixes;
    state.exhausted = state.prefixes.empty();
    if (!state.exhausted) {
      state.next = FirstOf(state.prefixes[0]);
    }
  }
}

const PrefixPools::Ranges::value_type* PrefixPools::Overlapping(const Ranges& ranges, Number first,
                                                                Number last) {
  auto after = ranges.upper_bound(last);
  if (after == ranges.begin()) {
    return nullptr;
  }
  --after;
  return after->second.last >= first ? &*after : nullptr;
}

void PrefixPools::Reserve(const config::Ipv6Prefix& prefix) {
  absl::MutexLock lock(&mutex_);
  Number first = FirstOf(prefix);
  Number last = LastOf(prefix);
  while (const auto* other = Overlapping(reserved_, first, last)) {
    // Of two prefixes that overlap one holds the other.
    first = std::min(first, other->first);
    last = std::max(last, other->second.last);
    reserved_.erase(other->first);
  }
  reserved_[first] = {.last = last};
}

PrefixPools::State* PrefixPools::Find(std::string_view name) {
  const auto found = std::find_if(pools_.begin(), pools_.end(),
                                  [&](const State& pool) { return pool.name == name; });
  return found != pools_.end() ? &*found : nullptr;
}

bool PrefixPools::Has(std::string_view pool) const {
  absl::MutexLock lock(&mutex_);
  return std::any_of(pools_.begin(), pools_.end(),
                     [&](const State& state) { return state.name == pool; });
}

// TakeResting: of what was given before, the one that has rested longest, even if not long enough
// when now_ms is the end of time. What a fixed one has taken meanwhile is passed over.
std::optional<Number> PrefixPools::TakeResting(State* pool, uint64_t now_ms) {
  const Number host_bits = HostBits(pool->length);
  for (size_t tries = pool->resting.size(); tries > 0; --tries) {
    const Resting oldest = pool->resting.front();
    if (oldest.until_ms > now_ms) {
      return std::nullopt;
    }
    pool->resting.pop_front();
    if (Overlapping(held_, oldest.first, oldest.first | host_bits) == nullptr) {
      return oldest.first;
    }
    pool->resting.push_back(oldest);
  }
  return std::nullopt;
}

std::optional<Number> PrefixPools::TakeFresh(State* pool) {
  const Number host_bits = HostBits(pool->length);
  while (!pool->exhausted) {
    const Number first = pool->next;
    Number last = first | host_bits;
    const auto* taken = Overlapping(reserved_, first, last);
    const bool is_reserved = taken != nullptr;
    if (!is_reserved) {
      taken = Overlapping(held_, first, last);
    }
    const Number end = LastOf(pool->prefixes[pool->at]);
    if (taken != nullptr) {
      last = std::min(end, std::max(last, taken->second.last | host_bits));
    }
    if (last >= end) {
      pool->exhausted = ++pool->at == pool->prefixes.size();
      if (!pool->exhausted) {
        pool->next = FirstOf(pool->prefixes[pool->at]);
      }
    } else {
      pool->next = last + 1;
    }
    if (taken == nullptr) {
      return first;
    }
    if (!is_reserved && taken->second.last <= (first | host_bits)) {
      pool->resting.push_back({.first = first, .until_ms = 0});  // it comes back one day
    }
  }
  return std::nullopt;
}

std::optional<config::Ipv6Prefix> PrefixPools::Allocate(std::string_view name, uint64_t now_ms) {
  absl::MutexLock lock(&mutex_);
  State* pool = Find(name);
  if (pool == nullptr) {
    return std::nullopt;
  }
  std::optional<Number> first = TakeResting(pool, now_ms);
  if (!first) {
    first = TakeFresh(pool);
  }
  if (!first) {
    first = TakeResting(pool, std::numeric_limits<uint64_t>::max());
  }
  if (!first) {
    return std::nullopt;
  }
  held_[*first] = {.last = *first | HostBits(pool->length), .pool = pool};
  ++pool->in_use;
  return config::Ipv6Prefix{.address = AddressOf(*first), .length = pool->length};
}

bool PrefixPools::AcquireFixed(const config::Ipv6Prefix& prefix) {
  absl::MutexLock lock(&mutex_);
  const Number first = FirstOf(prefix);
  const Number last = LastOf(prefix);
  if (Overlapping(held_, first, last) != nullptr) {
    return false;
  }
  held_[first] = {.last = last};
  return true;
}

void PrefixPools::Release(const config::Ipv6Prefix& prefix, uint64_t now_ms) {
  absl::MutexLock lock(&mutex_);
  const auto held = held_.find(FirstOf(prefix));
  if (held == held_.end() || held->second.last != LastOf(prefix)) {
    return;
  }
  if (State* pool = held->second.pool; pool != nullptr) {
    --pool->in_use;
    pool->resting.push_back({.first = held->first, .until_ms = now_ms + rest_ms_});
  }
  held_.erase(held);
}

std::vector<PrefixPools::Usage> PrefixPools::usage() const {
  absl::MutexLock lock(&mutex_);
  std::vector<Usage> usage;
  for (const State& pool : pools_) {
    Number size = 0;
    for (const config::Ipv6Prefix& prefix : pool.prefixes) {
      size += (HostBits(prefix.length) >> (128 - pool.length)) + 1;
    }
    constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
    usage.push_back({.name = pool.name,
                     .size = size > kMost ? kMost : absl::Uint128Low64(size),
                     .in_use = pool.in_use});
  }
  return usage;
}

}  // namespace culvert::ipv6
