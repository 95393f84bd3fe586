// Reading: one value that a part of the control plane counts itself.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace culvert {

struct Reading {
  const char* name;  // without "culvert_"; static, and so is help
  const char* help;
  bool counter = true;  // else a gauge
  uint64_t value = 0;
  std::vector<std::pair<std::string, std::string>> labels = {};  // nothing of a peer
};

// ReadingSource appends readings, those of one name together. Called at each scrape, by the
// exporter's thread.
using ReadingSource = std::function<void(std::vector<Reading>&)>;

}  // namespace culvert
