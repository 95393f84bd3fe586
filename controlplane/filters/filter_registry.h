// FilterRegistry: the packet filters that there are, and their numbers in the data plane. Those of
// the configuration are there for good; those that RADIUS writes out are there while a call has
// them, once for all calls with the same rules.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/filters/filter_hold.h"
#include "controlplane/logging/log_limit.h"
#include "controlplane/metrics/reading.h"
#include "culvert/dataplane/v1/dataplane.pb.h"

namespace culvert::filters {

struct NamedRules {
  std::string name;
  std::vector<std::string> rules;
};

// Thread-safe. It outlives what is held of it.
class FilterRegistry {
 public:
  static constexpr uint32_t kMaxId = 1023;

  // Program asks the data plane, and keeps the order in which it is asked. `answered` is called
  // once, by any thread, perhaps at once.
  using Answered = std::function<void(const dataplane::v1::Result& result)>;
  using Program = std::function<void(dataplane::v1::Operation operation, Answered answered)>;

  // `configured` has been checked; `fallback` is the name of the one for users without any, or
  // empty.
  FilterRegistry(const std::vector<NamedRules>& configured, std::string fallback, Program program);
  FilterRegistry(const FilterRegistry&) = delete;
  FilterRegistry& operator=(const FilterRegistry&) = delete;

  // Resolve gives the filter for a call: that of `rules` (NAS-Filter-Rule) when there are any, else
  // the one that `name` (Filter-Id) says, else the default; none is null. Without any filter in the
  // configuration a name is for hooks only. INVALID_ARGUMENT: no such name, or no such rules;
  // RESOURCE_EXHAUSTED: there are too many.
  absl::StatusOr<FilterHold> Resolve(std::string_view name, std::string_view rules);

  // HasNamed: there are configured filters, so that names count. Any thread.
  [[nodiscard]] bool HasNamed() const;

  // Reconfigure takes others: calls with a filter that is still there follow its new rules at once;
  // those with one that is gone keep it, but nobody gets it any more.
  void Reconfigure(const std::vector<NamedRules>& configured, std::string fallback);

  // OnDataplaneUp programs all filters, before the first call.
  void OnDataplaneUp();
  // Stop: nothing is programmed any more.
  void Stop();

  void AddReadings(std::vector<Reading>& readings) const;

 private:
  struct Interned {
    uint32_t num_holds = 0;
    dataplane::v1::Filter filter;
  };
  using InternedByRules = std::map<std::string, Interned, std::less<>>;
  struct Configured {
    FilterHold hold;
    dataplane::v1::Filter filter;
    bool listed = true;  // else it has gone from the configuration
  };
  enum Refusal : uint8_t { kUnknown, kRules, kLimit, kNumRefusals };

  // Configure makes or changes one; there may be no number left for it.
  void Configure(const NamedRules& named) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<FilterHold> Named(std::string_view name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  [[nodiscard]] bool AnyListed() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<FilterHold> Intern(const std::string& rules) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<InternedByRules::iterator> Insert(const std::string& rules)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Drop(InternedByRules::iterator interned);
  absl::Status Refuse(Refusal refusal, absl::Status status);
  void Upsert(const dataplane::v1::Filter& filter) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Remove(uint32_t id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  std::map<std::string, Configured, std::less<>> configured_ ABSL_GUARDED_BY(mutex_);  // by name
  std::string fallback_ ABSL_GUARDED_BY(mutex_);
  Program program_ ABSL_GUARDED_BY(mutex_);
  InternedByRules interned_ ABSL_GUARDED_BY(mutex_);
  std::vector<uint32_t> free_ids_ ABSL_GUARDED_BY(mutex_);
  std::array<std::atomic<uint64_t>, kNumRefusals> refused_{};
  LogLimit log_limit_{std::chrono::seconds(10)};
};

}  // namespace culvert::filters
