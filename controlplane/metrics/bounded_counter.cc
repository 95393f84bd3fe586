#include "controlplane/metrics/bounded_counter.h"

#include <utility>

namespace culvert {

BoundedCounter::BoundedCounter(prometheus::Registry* registry, const std::string& name,
                               const std::string& help, std::string label)
    : family_(prometheus::BuildCounter().Name(name).Help(help).Register(*registry)),
      label_(std::move(label)) {}

void BoundedCounter::Increment(std::string_view value) {
  const std::lock_guard lock(mutex_);
  auto it = counters_.find(value);
  if (it == counters_.end()) {
    const std::string name(value.empty() || counters_.size() >= kMaxValues ? "other" : value);
    // Add() gives the same counter for the same labels.
    it = counters_.emplace(name, &family_.Add({{label_, name}})).first;
  }
  it->second->Increment();
}

}  // namespace culvert
