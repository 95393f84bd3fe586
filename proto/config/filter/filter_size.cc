#include "proto/config/filter/filter_size.h"

#include <fmt/format.h>

#include <algorithm>

namespace culvert::config {
namespace {

struct Ports {
  size_t single, ranges;
};

Ports Count(const std::vector<FilterRule::Range>& list) {
  const auto ranges = static_cast<size_t>(std::count_if(
      list.begin(), list.end(),
      [](const FilterRule::Range& range) { return IsRange(range.first, range.last); }));
  return {.single = std::max<size_t>(list.size(), 1) - ranges, .ranges = ranges};
}

}  // namespace

void FilterSize::Add(const FilterRule& rule) {
  const Ports from = Count(rule.source.ports);
  const Ports to = Count(rule.icmp_types.empty() ? rule.destination.ports : rule.icmp_types);
  const size_t flags = std::max<size_t>(rule.flags.size(), 1);
  rules += (from.single + from.ranges) * (to.single + to.ranges) * flags;
  one_range += (from.single * to.ranges + from.ranges * to.single) * flags;
  two_ranges += from.ranges * to.ranges * flags;
}

std::string FilterSize::Excess() const {
  const auto text = [](size_t num, const char* what, size_t limit) {
    return fmt::format("{} rules{} when lists are written out; at most {} are allowed", num, what,
                       limit);
  };
  if (two_ranges > kMaxTwoRangesRules) {
    return text(two_ranges, " with a range of ports at both ends", kMaxTwoRangesRules);
  }
  if (one_range > kMaxOneRangeRules) {
    return text(one_range, " with a range of ports at one end", kMaxOneRangeRules);
  }
  return rules > kMaxFilterRules ? text(rules, "", kMaxFilterRules) : "";
}

}  // namespace culvert::config
