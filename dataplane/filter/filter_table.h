// FilterTable: the filters by id. A filter is immutable; a change publishes a new one in its place
// and frees the old one when no worker can hold it any more (RCU, quiescent states).
#pragma once

#include <absl/status/status.h>
#include <rte_rcu_qsbr.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

#include "dataplane/filter/filter.h"

namespace culvert::dataplane {

// All but Find is thread-safe, and not for workers.
class FilterTable {
 public:
  // Borrows what the workers report to.
  explicit FilterTable(rte_rcu_qsbr* qsbr) : qsbr_(qsbr) {}
  ~FilterTable();
  FilterTable(const FilterTable&) = delete;
  FilterTable& operator=(const FilterTable&) = delete;

  // Find is for workers, which may use the filter until they next report; null: none.
  [[nodiscard]] const Filter* Find(uint32_t id) const {
    return filters_[id].load(std::memory_order_acquire);
  }

  // Set makes or replaces a filter; its calls follow it from their next burst on. An error changes
  // nothing.
  absl::Status Set(const FilterSpec& spec);
  // Remove gives FAILED_PRECONDITION while a call has it; nothing to do when there is none.
  absl::Status Remove(uint32_t id);

  // Acquire and Release count the calls of a filter; 0 is no filter. NOT_FOUND: there is none.
  absl::Status Acquire(uint32_t id);
  void Release(uint32_t id);

 private:
  struct Retired {
    uint64_t token;
    const Filter* filter;
  };
  void Publish(uint32_t id, const Filter* filter);
  void Reclaim();

  rte_rcu_qsbr* qsbr_;
  std::array<std::atomic<const Filter*>, kMaxFilterId + 1> filters_{};  // own
  std::mutex mutex_;  // of all that follows, and of writing filters_
  std::array<uint32_t, kMaxFilterId + 1> num_calls_{};
  std::deque<Retired> retired_;
};

}  // namespace culvert::dataplane
