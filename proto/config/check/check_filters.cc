#include <fmt/format.h>

#include <algorithm>

#include "proto/config/check/check.h"
#include "proto/config/filter/filter_rule.h"
#include "proto/config/filter/filter_size.h"
#include "proto/config/repeats.h"

namespace culvert::config {
namespace {

void CheckNames(const v1::Config& config, const SourceMap& places, std::vector<Problem>* problems) {
  std::vector<Keyed<std::string>> names;
  for (int i = 0; i < config.filters_size(); ++i) {
    names.push_back({fmt::format("filters[{}].name", i), config.filters(i).name()});
  }
  CheckRepeats(names, places, problems);
}

void CheckRules(const v1::Config& config, const SourceMap& places, std::vector<Problem>* problems) {
  for (int i = 0; i < config.filters_size(); ++i) {
    FilterSize size;
    for (int j = 0; j < config.filters(i).rules_size(); ++j) {
      const std::string key = fmt::format("filters[{}].rules[{}]", i, j);
      const std::string& text = config.filters(i).rules(j);
      const auto rule = ParseFilterRule(text);
      if (rule) {
        size.Add(*rule);
      } else if (places.Usable(key)) {
        problems->push_back(places.At({key}, fmt::format("\"{}\": {}", text, rule.error())));
      }
    }
    if (const std::string excess = size.Excess(); !excess.empty()) {
      problems->push_back(places.At({fmt::format("filters[{}].rules", i)},
                                    fmt::format("{}: {}", config.filters(i).name(), excess)));
    }
  }
}

}  // namespace

void CheckFilters(const v1::Config& config, const SourceMap& places,
                  std::vector<Problem>* problems) {
  CheckNames(config, places, problems);
  CheckRules(config, places, problems);
  const std::string& name = config.policy().filter();
  const auto is_named = [&](const v1::Filter& filter) { return filter.name() == name; };
  if (!name.empty() && places.Usable("policy.filter") &&
      std::none_of(config.filters().begin(), config.filters().end(), is_named)) {
    problems->push_back(
        places.At({"policy.filter"}, fmt::format("there is no filter named \"{}\"", name)));
  }
}

}  // namespace culvert::config
