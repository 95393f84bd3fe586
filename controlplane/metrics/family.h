// How readings become Prometheus's families.
#pragma once

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace culvert {

using Labels = std::vector<prometheus::ClientMetric::Label>;

// FamilyOf makes a family without values yet.
inline prometheus::MetricFamily FamilyOf(prometheus::MetricType type, std::string name,
                                         std::string help) {
  prometheus::MetricFamily family;
  family.name = "culvert_" + std::move(name);
  family.help = std::move(help);
  family.type = type;
  return family;
}

inline void AddValue(uint64_t value, Labels labels, prometheus::MetricFamily* family) {
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  if (family->type == prometheus::MetricType::Counter) {
    metric.counter.value = static_cast<double>(value);
  } else {
    metric.gauge.value = static_cast<double>(value);
  }
  family->metric.push_back(std::move(metric));
}

}  // namespace culvert
