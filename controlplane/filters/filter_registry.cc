#include "controlplane/filters/filter_registry.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "controlplane/filters/filter_program.h"
#include "controlplane/logging/printable.h"

namespace culvert::filters {

namespace v1 = dataplane::v1;

namespace {

constexpr char kRulesName[] = "NAS-Filter-Rule";
const std::string kSeparator(1, '\0');

// ProgramOf: the check of the configuration has seen to it that this works. Else: nothing passes.
v1::Filter ProgramOf(const NamedRules& named) {
  auto program = MakeProgram(named.rules);
  if (!program) {
    spdlog::error("filter {}: {}; it denies everything", named.name, program.error());
  }
  return std::move(program).value_or(v1::Filter());
}

// Tell logs what the data plane could not do; calls with the filter are refused there.
void Tell(uint32_t id, const v1::Result& result) {
  constexpr int kUnavailable = 14;  // it is away, and gets everything when it is back
  static LogLimit limit{std::chrono::seconds(10)};
  if (result.code() == 0 || result.code() == kUnavailable) {
    return;
  }
  if (const auto left_out = limit.Admit()) {
    spdlog::error("filter {}: the data plane refuses it: {} ({} more since the last such line)", id,
                  result.message(), *left_out);
  }
}

}  // namespace

FilterRegistry::FilterRegistry(const std::vector<NamedRules>& configured, std::string fallback,
                               Program program) {
  {
    absl::MutexLock lock(&mutex_);
    for (uint32_t id = kMaxId; id >= 1; --id) {
      free_ids_.push_back(id);
    }
  }
  Reconfigure(configured, std::move(fallback));
  absl::MutexLock lock(&mutex_);
  program_ = std::move(program);  // whose end may not be there yet: OnDataplaneUp() tells
}

void FilterRegistry::Reconfigure(const std::vector<NamedRules>& configured, std::string fallback) {
  absl::MutexLock lock(&mutex_);
  for (auto& [name, filter] : configured_) {
    filter.listed = std::any_of(configured.begin(), configured.end(),
                                [&](const NamedRules& named) { return named.name == name; });
  }
  // What no call has any more gives its number back; the others do at a later change.
  for (auto it = configured_.begin(); it != configured_.end();) {
    if (it->second.listed || it->second.hold.use_count() > 1) {
      ++it;
      continue;
    }
    const uint32_t id = it->second.hold->id;
    it = configured_.erase(it);
    free_ids_.push_back(id);
    Remove(id);
  }
  for (const NamedRules& named : configured) {
    Configure(named);
  }
  fallback_ = std::move(fallback);
}

void FilterRegistry::Configure(const NamedRules& named) {
  auto found = configured_.find(named.name);
  if (found == configured_.end()) {
    if (free_ids_.empty()) {
      spdlog::error("filter {}: there are {} filters already", named.name, kMaxId);
      return;
    }
    found = configured_.emplace(named.name, Configured()).first;
    found->second.hold =
        std::make_shared<const HeldFilter>(HeldFilter{.id = free_ids_.back(), .name = named.name});
    free_ids_.pop_back();
  }
  Configured& filter = found->second;
  filter.filter = ProgramOf(named);
  filter.filter.set_id(filter.hold->id);
  filter.listed = true;
  Upsert(filter.filter);
}

absl::StatusOr<FilterHold> FilterRegistry::Resolve(std::string_view name, std::string_view rules) {
  absl::MutexLock lock(&mutex_);
  if (const std::vector<std::string> split = SplitRules(rules); !split.empty()) {
    return Intern(absl::StrJoin(split, kSeparator));
  }
  if (!name.empty() && AnyListed()) {
    return Named(name);
  }
  return fallback_.empty() ? FilterHold() : Named(fallback_);
}

bool FilterRegistry::HasNamed() const {
  absl::MutexLock lock(&mutex_);
  return AnyListed();
}

bool FilterRegistry::AnyListed() const {
  return std::any_of(configured_.begin(), configured_.end(),
                     [](const auto& entry) { return entry.second.listed; });
}

absl::StatusOr<FilterHold> FilterRegistry::Named(std::string_view name) {
  const auto found = configured_.find(name);
  if (found == configured_.end() || !found->second.listed) {
    return Refuse(kUnknown, absl::InvalidArgumentError(absl::StrCat("there is no filter named \"",
                                                                    Printable(name), "\"")));
  }
  return found->second.hold;
}

absl::StatusOr<FilterHold> FilterRegistry::Intern(const std::string& rules) {
  auto interned = interned_.find(rules);
  if (interned == interned_.end()) {
    const auto inserted = Insert(rules);
    if (!inserted.ok()) {
      return inserted.status();
    }
    interned = *inserted;
  }
  ++interned->second.num_holds;
  return FilterHold(new HeldFilter{.id = interned->second.filter.id(), .name = kRulesName},
                    [this, interned](const HeldFilter* held) {
                      delete held;
                      Drop(interned);
                    });
}

absl::StatusOr<FilterRegistry::InternedByRules::iterator> FilterRegistry::Insert(
    const std::string& rules) {
  auto program = MakeProgram(SplitRules(rules));
  if (!program) {
    return Refuse(kRules,
                  absl::InvalidArgumentError(absl::StrCat(kRulesName, ": ", program.error())));
  }
  if (free_ids_.empty()) {
    return Refuse(kLimit, absl::ResourceExhaustedError(absl::StrCat(kRulesName, ": calls have ",
                                                                    kMaxId, " filters already")));
  }
  program->set_id(free_ids_.back());
  free_ids_.pop_back();
  Upsert(*program);
  return interned_.emplace(rules, Interned{.filter = *std::move(program)}).first;
}

void FilterRegistry::Drop(InternedByRules::iterator interned) {
  absl::MutexLock lock(&mutex_);
  if (--interned->second.num_holds != 0) {
    return;
  }
  const uint32_t id = interned->second.filter.id();
  interned_.erase(interned);
  free_ids_.push_back(id);
  Remove(id);
}

void FilterRegistry::OnDataplaneUp() {
  absl::MutexLock lock(&mutex_);
  for (const uint32_t id : free_ids_) {
    Remove(id);  // an earlier control plane may have left some
  }
  for (const auto& [name, configured] : configured_) {
    Upsert(configured.filter);
  }
  for (const auto& [rules, interned] : interned_) {
    Upsert(interned.filter);
  }
}

void FilterRegistry::Stop() {
  absl::MutexLock lock(&mutex_);
  program_ = nullptr;
}

void FilterRegistry::Upsert(const v1::Filter& filter) {
  if (program_) {
    v1::Operation operation;
    *operation.mutable_upsert_filter() = filter;
    program_(std::move(operation),
             [id = filter.id()](const v1::Result& result) { Tell(id, result); });
  }
}

void FilterRegistry::Remove(uint32_t id) {
  if (program_) {
    v1::Operation operation;
    operation.set_remove_filter(id);
    program_(std::move(operation), [id](const v1::Result& result) { Tell(id, result); });
  }
}

absl::Status FilterRegistry::Refuse(Refusal refusal, absl::Status status) {
  refused_[refusal].fetch_add(1, std::memory_order_relaxed);
  if (const auto left_out = log_limit_.Admit()) {
    spdlog::warn("filter refused: {} ({} more since the last such line)",
                 std::string(status.message()), *left_out);
  }
  return status;
}

void FilterRegistry::AddReadings(std::vector<Reading>& readings) const {
  const auto add = [&](const char* from, size_t value) {
    readings.push_back({.name = "filters",
                        .help = "Packet filters that there are, by where they come from.",
                        .counter = false,
                        .value = value,
                        .labels = {{"from", from}}});
  };
  {
    absl::MutexLock lock(&mutex_);
    add("configuration", configured_.size());
    add("radius", interned_.size());
  }
  constexpr const char* kReasons[kNumRefusals] = {"unknown", "rules", "limit"};
  for (size_t i = 0; i < kNumRefusals; ++i) {
    readings.push_back({.name = "filters_refused_total",
                        .help = "Logins and changes refused for their packet filter: an unknown "
                                "name, rules that are none, too many.",
                        .value = refused_[i].load(std::memory_order_relaxed),
                        .labels = {{"reason", kReasons[i]}}});
  }
}

}  // namespace culvert::filters
