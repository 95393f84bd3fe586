#include "controlplane/accounting/delivery/sender.h"

#include <algorithm>
#include <utility>

namespace culvert::accounting {

namespace {

constexpr uint64_t kFirstPauseMs = 1000, kLongestPauseMs = 30'000;
// Accounting-On waits for what is before it, and what is after it waits for it, until a record
// has failed so often: then another one asks, and if it is acknowledged that one is at fault.
constexpr uint32_t kPatience = 5;
constexpr uint32_t kMaxStrikes = 10;

}  // namespace

Sender::Sender(size_t max_in_flight) : max_in_flight_(max_in_flight), window_(max_in_flight) {}

size_t Sender::Wanted() const {
  const size_t target = 4 * max_in_flight_;
  return items_.size() < target ? target - items_.size() : 0;
}

void Sender::Add(StoredRecord record) {
  const bool aside = record.aside;
  const bool is_new = items_
                          .try_emplace(record.seq, Item{.step = record.step,
                                                        .call = record.call,
                                                        .record = std::move(record.record),
                                                        .set_aside = aside})
                          .second;
  num_aside_ += aside && is_new ? 1 : 0;
}

void Sender::Supersede(const std::unordered_set<uint64_t>& calls) {
  std::erase_if(items_, [&](const auto& entry) {
    const Item& item = entry.second;
    return item.step == Entry::Step::kInterim && !item.in_flight && calls.contains(item.call);
  });
}

bool Sender::IsBarrier(const Item& item) {
  return item.step == Entry::Step::kOn || item.step == Entry::Step::kOff;
}

bool Sender::HoldsUp(const Item& item) { return !item.set_aside && item.attempts < kPatience; }

std::vector<int64_t> Sender::Ready(uint64_t now_ms) const {
  std::vector<int64_t> ready;
  std::unordered_set<uint64_t> busy;  // calls with a record before this one
  bool all_done = true;               // of what a barrier waits for
  for (const auto& [seq, item] : items_) {
    if (IsBarrier(item) && !all_done) {
      break;
    }
    if (!IsBarrier(item) && !item.set_aside && !busy.insert(item.call).second) {
      all_done = false;
      continue;
    }
    if (!item.in_flight && now_ms >= item.not_before_ms) {
      ready.push_back(seq);
    }
    all_done = all_done && !HoldsUp(item);
    if (IsBarrier(item) && HoldsUp(item)) {
      break;
    }
  }
  return ready;
}

std::vector<Sender::Outgoing> Sender::Take(uint64_t now_ms) {
  std::vector<Outgoing> taken;
  if (in_flight_ >= window_ || now_ms < not_before_ms_) {
    return taken;
  }
  std::vector<int64_t> ready = Ready(now_ms);
  if (away_) {
    // Should it be one record's fault that there is no answer, another one finds out.
    const auto patience_used = [this](int64_t seq) {
      return std::max(items_.at(seq).attempts, kPatience);
    };
    std::stable_sort(ready.begin(), ready.end(),
                     [&](int64_t a, int64_t b) { return patience_used(a) < patience_used(b); });
  }
  ready.resize(std::min(ready.size(), window_ - in_flight_));
  for (const int64_t seq : ready) {
    Item& item = items_.at(seq);
    item.in_flight = true;
    item.acknowledged = acknowledged_;
    ++in_flight_;
    taken.push_back({.seq = seq, .record = &item.record});
  }
  return taken;
}

Sender::Outcome Sender::OnAnswer(int64_t seq, bool acknowledged, uint64_t now_ms) {
  const auto item = items_.find(seq);
  if (item == items_.end() || !item->second.in_flight) {
    return {.verdict = Verdict::kKeep, .step = Entry::Step::kAlive};  // answered twice
  }
  item->second.in_flight = false;
  --in_flight_;
  const Entry::Step step = item->second.step;
  const bool was_aside = item->second.set_aside;
  num_aside_ -= was_aside ? 1 : 0;  // it goes, one way or the other
  return {.verdict = acknowledged ? OnAcknowledged(item) : OnFailed(item, now_ms),
          .step = step,
          .was_aside = was_aside};
}

Sender::Verdict Sender::OnAcknowledged(Items::iterator item) {
  items_.erase(item);
  ++acknowledged_;
  away_ = false;
  pause_ms_ = 0;
  not_before_ms_ = 0;
  window_ = std::min(max_in_flight_, window_ + 1);
  return Verdict::kDone;
}

Sender::Verdict Sender::OnFailed(Items::iterator entry, uint64_t now_ms) {
  Item& item = entry->second;
  if (item.set_aside) {
    items_.erase(entry);
    return Verdict::kSetAside;
  }
  ++item.attempts;
  if (acknowledged_ == item.acknowledged) {
    if (!away_ || now_ms >= not_before_ms_) {  // not one of many that failed together
      pause_ms_ = std::clamp(2 * pause_ms_, kFirstPauseMs, kLongestPauseMs);
      not_before_ms_ = now_ms + pause_ms_;
    }
    away_ = true;
    window_ = 1;
    return Verdict::kKeep;
  }
  ++item.strikes;
  item.not_before_ms = now_ms + item.strikes * kFirstPauseMs;
  if (item.strikes < kMaxStrikes && !(IsBarrier(item) && !HoldsUp(item))) {
    return Verdict::kKeep;
  }
  const bool is_harmful = IsBarrier(item) || item.step == Entry::Step::kInterim;
  items_.erase(entry);
  return is_harmful ? Verdict::kDrop : Verdict::kSetAside;
}

}  // namespace culvert::accounting
