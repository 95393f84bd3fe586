#include "controlplane/metrics/sources.h"

#include <utility>

namespace culvert {

void Sources::Add(ReadingSource source) {
  const std::lock_guard lock(mutex_);
  sources_.push_back(std::move(source));
}

std::vector<prometheus::MetricFamily> Sources::Collect() const {
  std::vector<Reading> readings;
  {
    const std::lock_guard lock(mutex_);
    for (const ReadingSource& source : sources_) source(readings);
  }
  std::vector<prometheus::MetricFamily> families;
  for (const Reading& reading : readings) {
    const std::string name = std::string("culvert_") + reading.name;
    if (families.empty() || families.back().name != name) {
      prometheus::MetricFamily& family = families.emplace_back();
      family.name = name;
      family.help = reading.help;
      family.type =
          reading.counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
    }
    prometheus::ClientMetric& metric = families.back().metric.emplace_back();
    for (const auto& [label, value] : reading.labels) metric.label.push_back({label, value});
    (reading.counter ? metric.counter.value : metric.gauge.value) =
        static_cast<double>(reading.value);
  }
  return families;
}

}  // namespace culvert
