// FilterSize: how many rules the data plane gets of a filter, and how many it takes. A written rule
// that lists ports, types or flags becomes one rule for each combination.
#pragma once

#include <cstddef>
#include <string>

#include "proto/config/filter/filter_rule.h"

namespace culvert::config {

constexpr size_t kMaxFilterRules = 4096;
// Of those rules, with a range of ports at one end, and at both: classifiers for them take long to
// build, and much memory.
constexpr size_t kMaxOneRangeRules = 1024, kMaxTwoRangesRules = 256;

// IsRange: neither one port nor all of them.
[[nodiscard]] constexpr bool IsRange(uint16_t first, uint16_t last) {
  return first != last && (first != 0 || last != 65535);
}

struct FilterSize {
  size_t rules = 0, one_range = 0, two_ranges = 0;  // the first counts all
  void Add(const FilterRule& rule);
  // Excess says which limit is passed, and by how many rules; empty: none is.
  [[nodiscard]] std::string Excess() const;
};

}  // namespace culvert::config
