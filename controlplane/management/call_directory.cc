#include "controlplane/management/call_directory.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace culvert {
namespace {

using management::v1::CallEvent;

int64_t SystemTimeMs() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

void SetTime(int64_t now_ms, CallEvent* event) {
  event->mutable_time()->set_seconds(now_ms / 1000);
  event->mutable_time()->set_nanos(static_cast<int32_t>(now_ms % 1000) * 1'000'000);
}

// RateBps: a counter that went back was started anew, and says nothing of a rate.
uint64_t RateBps(uint64_t before, uint64_t now, int64_t elapsed_ms) {
  return now < before ? 0 : (now - before) * 8 * 1000 / static_cast<uint64_t>(elapsed_ms);
}

}  // namespace

CallDirectory::CallDirectory() : CallDirectory(SystemTimeMs) {}
CallDirectory::CallDirectory(Clock clock) : clock_(std::move(clock)) {}
CallDirectory::~CallDirectory() { CloseWatches(); }

CallDirectory::Part& CallDirectory::PartOf(uint64_t id) const {
  // Ids may be counted up or random: a multiplication spreads both.
  return parts_[HomeOf(id) * kPartsOfHome + (id * 0x9e3779b97f4a7c15u >> 32) % kPartsOfHome];
}

void CallDirectory::ReplaceHandle(uint64_t before, uint64_t now, uint64_t id) {
  if (before == now) return;
  if (before != 0) {
    Handles& handles = handles_[HomeOf(before)];
    const std::lock_guard lock(handles.mutex);
    const auto it = handles.ids.find(before);
    if (it != handles.ids.end() && it->second == id) handles.ids.erase(it);
  }
  if (now != 0) {
    Handles& handles = handles_[HomeOf(now)];
    const std::lock_guard lock(handles.mutex);
    handles.ids[now] = id;
  }
}

// What a record holds (a packet filter) is let go after the lock: letting go may wait for others.
void CallDirectory::Publish(EventKind kind, CallRecord record) {
  const uint64_t id = record.id;
  CallRecord last;
  Part& part = PartOf(id);
  const std::lock_guard lock(part.mutex);
  if (kind == CallEvent::DOWN) {
    const auto it = part.calls.find(id);
    if (it == part.calls.end()) return;
    ReplaceHandle(it->second.record.handle, 0, id);
    index_.Replace(it->second.record, {});
    std::swap(it->second.record, record);
    Notify(part, kind, it->second);
    last = std::move(it->second.record);
    part.calls.erase(it);
    return;
  }
  Entry& entry = part.calls[id];
  ReplaceHandle(entry.record.handle, record.handle, id);
  index_.Replace(entry.record, record);
  std::swap(entry.record, record);
  Notify(part, kind, entry);
}

void CallDirectory::Update(CallRecord record) {
  Part& part = PartOf(record.id);
  const std::lock_guard lock(part.mutex);
  const auto it = part.calls.find(record.id);
  if (it == part.calls.end()) return;
  ReplaceHandle(it->second.record.handle, record.handle, record.id);
  index_.Replace(it->second.record, record);
  std::swap(it->second.record, record);  // the old one goes after the lock
}

void CallDirectory::Notify(Part& part, EventKind kind, const Entry& entry) {
  for (size_t i = 0; i < part.watches.size();) {
    const std::shared_ptr<CallWatch> watch = part.watches[i].lock();
    if (watch == nullptr) {
      part.watches[i] = part.watches.back();
      part.watches.pop_back();
      continue;
    }
    ++i;
    if (!watch->filter().Matches(entry.record)) continue;
    const int64_t now_ms = clock_();
    CallEvent event;
    event.set_kind(kind);
    *event.mutable_call() = ToProto(entry.record, entry.traffic, now_ms);
    SetTime(now_ms, &event);
    watch->Push(std::move(event));
  }
}

void CallDirectory::OnCounters(const dataplane::v1::CountersResponse& round) {
  const int64_t now_ms = clock_();
  for (const dataplane::v1::CallCounters& counters : round.calls()) {
    uint64_t id = 0;
    {
      Handles& handles = handles_[HomeOf(counters.handle())];
      const std::lock_guard lock(handles.mutex);
      const auto it = handles.ids.find(counters.handle());
      if (it != handles.ids.end()) id = it->second;
    }
    if (id != 0) CountCall(id, counters, now_ms);
  }
}

void CallDirectory::CountCall(uint64_t id, const dataplane::v1::CallCounters& counters,
                              int64_t now_ms) {
  Part& part = PartOf(id);
  const std::lock_guard lock(part.mutex);
  const auto it = part.calls.find(id);
  if (it == part.calls.end()) return;
  CallTraffic& traffic = it->second.traffic;
  // An idle call is not told of: what has come since then came in the last round.
  constexpr int64_t kRoundMs = 1000;
  int64_t elapsed_ms = now_ms - it->second.counted_ms;
  elapsed_ms = elapsed_ms > 2 * kRoundMs ? kRoundMs : elapsed_ms;
  // Two readings at one instant give no rate; neither does the first one.
  if (it->second.counted_ms != 0 && elapsed_ms > 0) {
    traffic.upstream_bps = RateBps(traffic.upstream_octets, counters.upstream_octets(), elapsed_ms);
    traffic.downstream_bps =
        RateBps(traffic.downstream_octets, counters.downstream_octets(), elapsed_ms);
  }
  it->second.counted_ms = now_ms;
  traffic.upstream_packets = counters.upstream_packets();
  traffic.upstream_octets = counters.upstream_octets();
  traffic.downstream_packets = counters.downstream_packets();
  traffic.downstream_octets = counters.downstream_octets();
  traffic.drops = counters.upstream_drops() + counters.downstream_drops();
}

template <typename Visit>
void CallDirectory::VisitOne(uint64_t id, const CallFilter& filter, const Visit& visit) const {
  const Part& part = PartOf(id);
  const std::lock_guard lock(part.mutex);
  const auto it = part.calls.find(id);
  if (it != part.calls.end() && filter.Matches(it->second.record)) visit(it->second);
}

template <typename Visit>
void CallDirectory::ForEach(const CallFilter& filter, Visit visit) const {
  if (filter.id) return VisitOne(*filter.id, filter, visit);
  if (const auto candidates = index_.Candidates(filter)) {
    for (const uint64_t id : *candidates) VisitOne(id, filter, visit);
    return;
  }
  for (const Part& part : parts_) {
    const std::lock_guard lock(part.mutex);
    for (const auto& [id, entry] : part.calls) {
      if (filter.Matches(entry.record)) visit(entry);
    }
  }
}

uint64_t CallDirectory::HandleOf(uint64_t id) const {
  const Part& part = PartOf(id);
  const std::lock_guard lock(part.mutex);
  const auto it = part.calls.find(id);
  return it == part.calls.end() ? 0 : it->second.record.handle;
}

std::optional<management::v1::Call> CallDirectory::Get(uint64_t id) const {
  std::optional<management::v1::Call> call;
  CallFilter filter;
  filter.id = id;
  ForEach(filter,
          [&](const Entry& entry) { call = ToProto(entry.record, entry.traffic, clock_()); });
  return call;
}

std::vector<management::v1::Call> CallDirectory::List(const CallFilter& filter) const {
  std::vector<management::v1::Call> calls;
  const int64_t now_ms = clock_();
  ForEach(filter, [&](const Entry& entry) {
    calls.push_back(ToProto(entry.record, entry.traffic, now_ms));
  });
  std::sort(calls.begin(), calls.end(),
            [](const auto& a, const auto& b) { return a.id() < b.id(); });
  return calls;
}

std::vector<uint64_t> CallDirectory::MatchingIds(const CallFilter& filter) const {
  std::vector<uint64_t> ids;
  ForEach(filter, [&](const Entry& entry) { ids.push_back(entry.record.id); });
  std::sort(ids.begin(), ids.end());
  return ids;
}

size_t CallDirectory::size() const {
  size_t sum = 0;
  for (const size_t count : CountByPhase()) sum += count;
  return sum;
}

std::array<size_t, CallDirectory::kPhases> CallDirectory::CountByPhase() const {
  std::array<size_t, kPhases> counts{};
  ForEach({}, [&](const Entry& entry) { ++counts[static_cast<size_t>(entry.record.phase)]; });
  return counts;
}

std::optional<CallDirectory::Subscription> CallDirectory::Subscribe(const CallFilter& filter) {
  Subscription subscription;
  subscription.watch = std::make_shared<CallWatch>(filter);
  {
    const std::lock_guard lock(watches_mutex_);
    watches_.erase(std::remove_if(watches_.begin(), watches_.end(),
                                  [](const auto& watch) { return watch.expired(); }),
                   watches_.end());
    if (watches_.size() >= kMaxWatches) return std::nullopt;
    watches_.push_back(subscription.watch);
    if (closed_) subscription.watch->Close();
  }
  // A part is read and watched under one lock: what changes in it later comes as an event.
  const int64_t now_ms = clock_();
  for (Part& part : parts_) {
    const std::lock_guard lock(part.mutex);
    for (const auto& [id, entry] : part.calls) {
      if (!filter.Matches(entry.record)) continue;
      subscription.snapshot.push_back(ToProto(entry.record, entry.traffic, now_ms));
    }
    part.watches.push_back(subscription.watch);
  }
  std::sort(subscription.snapshot.begin(), subscription.snapshot.end(),
            [](const auto& a, const auto& b) { return a.id() < b.id(); });
  return subscription;
}

void CallDirectory::CloseWatches() {
  const std::lock_guard lock(watches_mutex_);
  closed_ = true;
  for (const auto& weak : watches_) {
    if (const auto watch = weak.lock()) watch->Close();
  }
}

}  // namespace culvert
