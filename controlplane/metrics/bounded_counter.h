// BoundedCounter: counters with one label whose values are texts of our own code. It takes 64 of
// them; what comes later counts as "other", so that no mistake lets a peer grow the list.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace culvert {

class BoundedCounter {
 public:
  static constexpr size_t kMaxValues = 64;

  // `registry` outlives the counter.
  BoundedCounter(prometheus::Registry* registry, const std::string& name, const std::string& help,
                 std::string label);

  // Increment is for any thread. An empty value counts as "other".
  void Increment(std::string_view value);

 private:
  prometheus::Family<prometheus::Counter>& family_;
  const std::string label_;
  std::mutex mutex_;
  std::map<std::string, prometheus::Counter*, std::less<>> counters_;
};

}  // namespace culvert
