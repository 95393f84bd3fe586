#include "proto/config/source_map.h"

#include <utility>

namespace culvert::config {
namespace {

// Parent of "pools[1].ranges[0]" is "pools[1].ranges", then "pools[1]", then "pools".
std::string_view Parent(std::string_view key) {
  const size_t cut = key.find_last_of(".[");
  return cut == std::string_view::npos ? std::string_view() : key.substr(0, cut);
}

}  // namespace

void SourceMap::Set(const std::string& key, Place place) { places_[key] = std::move(place); }

void SourceMap::EraseItems(const std::string& key) {
  const std::string first = key + "[";
  auto it = places_.lower_bound(first);
  while (it != places_.end() && it->first.compare(0, first.size(), first) == 0) {
    it = places_.erase(it);
  }
}

void SourceMap::MarkBad(const std::string& key) { places_[key].bad = true; }

bool SourceMap::Usable(const std::string& key) const {
  for (std::string_view at = key; !at.empty(); at = Parent(at)) {
    const auto it = places_.find(at);
    if (it != places_.end() && it->second.bad) return false;
  }
  return true;
}

Place SourceMap::Find(std::string_view key) const {
  for (; !key.empty(); key = Parent(key)) {
    const auto it = places_.find(key);
    if (it != places_.end()) return it->second;
  }
  return Place{file, 0, false, false};
}

Problem SourceMap::At(std::initializer_list<std::string> keys, std::string message) const {
  const std::string* chosen = keys.begin();
  for (const std::string& key : keys) {
    if (Find(key).from_user) {
      chosen = &key;
      break;
    }
  }
  const Place place = Find(*chosen);
  return Problem{place.file, place.line, *chosen, std::move(message)};
}

}  // namespace culvert::config
