#include "controlplane/ipv6/prefix/pools.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "controlplane/ipv6/prefix/numbers.h"

namespace culvert::ipv6 {
namespace {

using Number = absl::uint128;

constexpr size_t kMaxScan = 4096;  // resting prefixes looked at for one that nothing overlaps

// Insert merges with what overlaps or touches.
void Insert(Number first, Number last, absl::btree_map<Number, Number>* ranges) {
  auto it = ranges->upper_bound(first);
  if (it != ranges->begin()) {
    const auto before = std::prev(it);
    if (before->second >= first || before->second + 1 == first) {
      first = before->first;
      last = std::max(last, before->second);
      it = ranges->erase(before);
    }
  }
  while (it != ranges->end() && (it->first <= last || it->first == last + 1)) {
    last = std::max(last, it->second);
    it = ranges->erase(it);
  }
  ranges->emplace(first, last);
}

}  // namespace

PrefixPools::PrefixPools(const std::vector<Pool>& pools, uint64_t rest_ms, size_t num_sticky,
                         uint64_t seed)
    : num_sticky_(num_sticky),
      seed_(seed),
      rest_ms_(rest_ms),
      reserved_(std::make_shared<const Ranges>()) {
  absl::MutexLock lock(&mutex_);
  Build(pools);
}

void PrefixPools::Build(const std::vector<Pool>& pools) {
  std::vector<State> before = std::exchange(pools_, {});
  places_.clear();
  for (const Pool& pool : pools) {
    const auto old = std::find_if(before.begin(), before.end(), [&](const State& state) {
      return state.pool.name == pool.name && state.pool.length == pool.length;
    });
    for (const config::Ipv6Prefix& prefix : pool.prefixes) {
      places_.push_back({.range = {FirstOf(prefix), LastOf(prefix)}, .pool = pools_.size()});
    }
    if (old != before.end() && old->pool == pool) {
      pools_.push_back(std::move(*old));  // with all that it remembers
      before.erase(old);
      continue;
    }
    State& state = pools_.emplace_back(State{.pool = pool,
                                             .fresh = {},
                                             .resting = {},
                                             .sticky = old != before.end()
                                                           ? std::move(old->sticky)
                                                           : Sticky<Number>(num_sticky_, seed_)});
    state.refused = old != before.end() ? old->refused : 0;
    for (const config::Ipv6Prefix& prefix : pool.prefixes) {
      Insert(FirstOf(prefix), LastOf(prefix), &state.fresh);
    }
  }
  std::sort(places_.begin(), places_.end(),
            [](const Place& a, const Place& b) { return a.range.first < b.range.first; });
  for (const State& old : before) {  // changed or gone
    const Number host_bits = HostBits(old.pool.length);
    old.resting.ForEach([&](Number first, uint64_t until_ms) ABSL_NO_THREAD_SAFETY_ANALYSIS {
      State* now = PoolOf(first, first | host_bits);
      if (now != nullptr && now->pool.length == old.pool.length) {
        now->resting.Add(first, until_ms);
      }
    });
  }
}

void PrefixPools::Reconfigure(const std::vector<Pool>& pools, uint64_t rest_ms) {
  absl::MutexLock lock(&mutex_);
  rest_ms_ = rest_ms;
  Build(pools);
  for (State& state : pools_) {
    state.in_use = 0;
  }
  for (auto& [first, held] : held_) {
    State* state = PoolOf(first, held.last);
    held.counted =
        held.counted && state != nullptr && held.last == (first | HostBits(state->pool.length));
    if (held.counted) {
      ++state->in_use;
    }
  }
}

void PrefixPools::SetReserved(const std::vector<config::Ipv6Prefix>& prefixes) {
  std::vector<Range> all;
  all.reserve(prefixes.size());
  for (const config::Ipv6Prefix& prefix : prefixes) {
    all.push_back({.first = FirstOf(prefix), .last = LastOf(prefix)});
  }
  std::sort(all.begin(), all.end(), [](const Range& a, const Range& b) {
    return a.first != b.first ? a.first < b.first : a.last > b.last;
  });
  auto ranges = std::make_shared<Ranges>();
  for (const Range& range : all) {
    // Of two prefixes that overlap one holds the other.
    if (ranges->empty() || range.first > ranges->back().last) {
      ranges->push_back(range);
    }
  }
  std::shared_ptr<const Ranges> before = ranges;
  absl::MutexLock lock(&mutex_);
  reserved_.swap(before);
  size_t at = 0;
  for (const Range& old : *before) {
    while (at < ranges->size() && (*ranges)[at].last < old.first) {
      ++at;
    }
    const bool stays =
        at < ranges->size() && (*ranges)[at].first <= old.first && (*ranges)[at].last >= old.last;
    if (!stays) {
      AddFresh(old);  // what is still reserved of it is passed over
    }
  }
}

PrefixPools::State* PrefixPools::Find(std::string_view name) {
  const auto found = std::find_if(pools_.begin(), pools_.end(),
                                  [&](const State& state) { return state.pool.name == name; });
  return found != pools_.end() ? &*found : nullptr;
}

bool PrefixPools::Has(std::string_view pool) const {
  absl::MutexLock lock(&mutex_);
  return std::any_of(pools_.begin(), pools_.end(),
                     [&](const State& state) { return state.pool.name == pool; });
}

PrefixPools::State* PrefixPools::PoolOf(Number first, Number last) {
  const auto after = std::upper_bound(
      places_.begin(), places_.end(), first,
      [](Number wanted, const Place& place) { return wanted < place.range.first; });
  if (after == places_.begin() || std::prev(after)->range.last < last) {
    return nullptr;
  }
  return &pools_[std::prev(after)->pool];
}

const std::pair<const Number, PrefixPools::Held>* PrefixPools::HeldIn(Number first,
                                                                      Number last) const {
  auto after = held_.upper_bound(last);
  if (after == held_.begin() || std::prev(after)->second.last < first) {
    return nullptr;
  }
  return &*std::prev(after);
}

std::optional<Number> PrefixPools::LastTaken(Number first, Number last) const {
  const auto after =
      std::upper_bound(reserved_->begin(), reserved_->end(), last,
                       [](Number wanted, const Range& range) { return wanted < range.first; });
  if (after != reserved_->begin() && std::prev(after)->last >= first) {
    return std::prev(after)->last;
  }
  const auto* held = HeldIn(first, last);
  return held != nullptr ? std::optional(held->second.last) : std::nullopt;
}

// AddFresh: what a pool would have to leave out if some of it were taken becomes fresh as a whole.
void PrefixPools::AddFresh(Range range) {
  auto place = std::upper_bound(
      places_.begin(), places_.end(), range.first,
      [](Number wanted, const Place& other) { return wanted < other.range.first; });
  place -= place == places_.begin() ? 0 : 1;
  for (; place != places_.end() && place->range.first <= range.last; ++place) {
    State& state = pools_[place->pool];
    const Number host_bits = HostBits(state.pool.length);
    const Number first = std::max(place->range.first, range.first) & ~host_bits;
    const Number last = std::min(place->range.last, range.last | host_bits);
    if (first <= last) {
      Insert(first, last, &state.fresh);
    }
  }
}

std::optional<Number> PrefixPools::TakeSame(State& state, std::string_view user) {
  const std::optional<Number> first = user.empty() ? std::nullopt : state.sticky.Recall(user);
  if (!first) {
    return std::nullopt;
  }
  const Number last = *first | HostBits(state.pool.length);
  if (PoolOf(*first, last) != &state || LastTaken(*first, last)) {
    return std::nullopt;
  }
  state.resting.Remove(*first);
  return first;
}

std::optional<Number> PrefixPools::TakeFresh(State& state) {
  const Number host_bits = HostBits(state.pool.length);
  while (!state.fresh.empty()) {
    const auto [first, end] = *state.fresh.begin();
    std::optional<Number> taken = LastTaken(first, first | host_bits);
    if (!taken && state.resting.Contains(first)) {
      taken = first;
    }
    const Number last = std::min(end, (taken ? std::max(first, *taken) : first) | host_bits);
    state.fresh.erase(state.fresh.begin());
    if (last < end) {
      state.fresh.emplace(last + 1, end);
    }
    if (!taken) {
      return first;
    }
  }
  return std::nullopt;
}

std::optional<Number> PrefixPools::TakeResting(State& state) {
  const Number host_bits = HostBits(state.pool.length);
  return state.resting.TakeOldest(kMaxScan, [&](Number first) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return !LastTaken(first, first | host_bits).has_value();
  });
}

std::optional<config::Ipv6Prefix> PrefixPools::Allocate(std::string_view name, uint64_t now_ms,
                                                        std::string_view user) {
  absl::MutexLock lock(&mutex_);
  State* state = Find(name);
  if (state == nullptr) {
    return std::nullopt;
  }
  const Number host_bits = HostBits(state->pool.length);
  state->resting.Wake(now_ms,
                      [&](Number woken) { Insert(woken, woken | host_bits, &state->fresh); });
  std::optional<Number> first = TakeSame(*state, user);
  first = first ? first : TakeFresh(*state);
  first = first ? first : TakeResting(*state);
  if (!first) {
    ++state->refused;
    return std::nullopt;
  }
  held_[*first] = {.last = *first | host_bits, .counted = true};
  ++state->in_use;
  if (!user.empty()) {
    state->sticky.Remember(user, *first);
  }
  return config::Ipv6Prefix{.address = AddressOf(*first), .length = state->pool.length};
}

bool PrefixPools::AcquireFixed(const config::Ipv6Prefix& prefix) {
  absl::MutexLock lock(&mutex_);
  const Number first = FirstOf(prefix);
  const Number last = LastOf(prefix);
  if (HeldIn(first, last) != nullptr) {
    return false;
  }
  held_[first] = {.last = last};
  return true;
}

void PrefixPools::Release(const config::Ipv6Prefix& prefix, uint64_t now_ms) {
  absl::MutexLock lock(&mutex_);
  const Number first = FirstOf(prefix);
  const Number last = LastOf(prefix);
  const auto held = held_.find(first);
  if (held == held_.end() || held->second.last != last) {
    return;
  }
  const bool counted = held->second.counted;
  held_.erase(held);
  State* state = PoolOf(first, last);
  if (state != nullptr && counted) {
    --state->in_use;
  }
  if (state != nullptr && last == (first | HostBits(state->pool.length))) {
    state->resting.Add(first, now_ms + rest_ms_);
  } else {
    AddFresh({.first = first, .last = last});
  }
}

std::vector<PrefixPools::Usage> PrefixPools::usage() const {
  absl::MutexLock lock(&mutex_);
  std::vector<Usage> usage;
  for (const State& state : pools_) {
    Number size = 0;
    for (const config::Ipv6Prefix& prefix : state.pool.prefixes) {
      size += (HostBits(prefix.length) >> (128 - state.pool.length)) + 1;
    }
    constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
    usage.push_back({.name = state.pool.name,
                     .size = size > kMost ? kMost : absl::Uint128Low64(size),
                     .in_use = state.in_use,
                     .resting = state.resting.size(),
                     .refused = state.refused});
  }
  return usage;
}

}  // namespace culvert::ipv6
