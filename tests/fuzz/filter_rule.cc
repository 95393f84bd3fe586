// Rules of packet filters, of the configuration and of NAS-Filter-Rule. Input: the text of one.
#include "proto/config/filter/filter_rule.h"

#include "tests/fuzz/property.h"

using culvert::config::FilterRule;
using culvert::fuzz::Require;

namespace {

void RequireRanges(const std::vector<FilterRule::Range>& ranges) {
  for (const FilterRule::Range& range : ranges) {
    Require(range.first <= range.last, "a range goes up");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto rule = culvert::config::ParseFilterRule(text);
  if (!rule) {
    Require(!rule.error().empty(), "an error says what is wrong");
    return 0;
  }
  RequireRanges(rule->source.ports);
  RequireRanges(rule->destination.ports);
  RequireRanges(rule->icmp_types);
  Require(rule->flags.empty() || rule->protocol == 6, "flags are TCP's");
  Require(rule->icmp_types.empty() || rule->protocol == 1 || rule->protocol == 58,
          "types are ICMP's");
  for (const FilterRule::Flags& flags : rule->flags) {
    Require((flags.flags & ~flags.mask) == 0, "what is to be set is looked at");
  }
  return 0;
}
