// CheckRepeats: values that must differ from each other.
#pragma once

#include <fmt/format.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "proto/config/source_map.h"

namespace culvert::config {

template <typename Value>
struct Keyed {
  std::string key;  // "dataplane.ports[1].name"
  Value value;
};

// CheckRepeats reports each value that an earlier one is equal to; bad ones are left alone.
template <typename Value>
void CheckRepeats(const std::vector<Keyed<Value>>& values, const SourceMap& places,
                  std::vector<Problem>* problems) {
  std::map<Value, std::string> first;
  for (const auto& [key, value] : values) {
    if (!places.Usable(key) || value == Value()) continue;
    const auto [it, is_new] = first.emplace(value, key);
    if (is_new) continue;
    problems->push_back(
        places.At({key, it->second}, fmt::format("{} is in {} already", value, it->second)));
  }
}

}  // namespace culvert::config
