// Sources: readings that other parts hand over when they are asked, for Prometheus as they are.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <mutex>
#include <vector>

#include "controlplane/metrics/reading.h"

namespace culvert {

// Any thread.
class Sources final : public prometheus::Collectable {
 public:
  void Add(ReadingSource source);
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  mutable std::mutex mutex_;
  std::vector<ReadingSource> sources_;
};

}  // namespace culvert
