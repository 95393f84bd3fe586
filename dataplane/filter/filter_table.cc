#include "dataplane/filter/filter_table.h"

#include <absl/strings/str_cat.h>

namespace culvert::dataplane {

FilterTable::~FilterTable() {
  for (const Retired& old : retired_) {
    delete old.filter;
  }
  for (auto& filter : filters_) {
    delete filter.load(std::memory_order_relaxed);
  }
}

absl::Status FilterTable::Set(const FilterSpec& spec) {
  if (absl::Status status = Filter::Check(spec); !status.ok()) {
    return status;
  }
  auto filter = Filter::Create(spec);
  if (!filter.ok()) {
    return filter.status();
  }
  const std::lock_guard lock(mutex_);
  Publish(spec.id, filter->release());
  return absl::OkStatus();
}

absl::Status FilterTable::Remove(uint32_t id) {
  const std::lock_guard lock(mutex_);
  if (id > kMaxFilterId || Find(id) == nullptr) {
    return absl::OkStatus();
  }
  if (num_calls_[id] != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("remove_filter: ", id, ": ", num_calls_[id], " calls have it"));
  }
  Publish(id, nullptr);
  return absl::OkStatus();
}

absl::Status FilterTable::Acquire(uint32_t id) {
  if (id == 0) {
    return absl::OkStatus();
  }
  const std::lock_guard lock(mutex_);
  if (id > kMaxFilterId || Find(id) == nullptr) {
    return absl::NotFoundError(absl::StrCat("filter: ", id, ": there is no such filter"));
  }
  ++num_calls_[id];
  return absl::OkStatus();
}

void FilterTable::Release(uint32_t id) {
  if (id != 0) {
    const std::lock_guard lock(mutex_);
    --num_calls_[id];
  }
}

void FilterTable::Publish(uint32_t id, const Filter* filter) {
  const Filter* old = filters_[id].exchange(filter, std::memory_order_acq_rel);
  if (old != nullptr) {
    retired_.push_back({rte_rcu_qsbr_start(qsbr_), old});
  }
  Reclaim();
}

void FilterTable::Reclaim() {
  while (!retired_.empty() && rte_rcu_qsbr_check(qsbr_, retired_.front().token, false) == 1) {
    delete retired_.front().filter;
    retired_.pop_front();
  }
}

}  // namespace culvert::dataplane
