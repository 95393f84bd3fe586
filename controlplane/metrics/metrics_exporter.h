// MetricsExporter serves Metrics over HTTP at /metrics, for Prometheus to read.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string>

#include "controlplane/metrics/metrics.h"

namespace prometheus {
class Collectable;
class Exposer;
}

namespace culvert {

class MetricsExporter {
 public:
  // Start listens on `endpoint` ("127.0.0.1:9723"). Errors name the endpoint and the remedy.
  // Threads of its own serve requests until it goes.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<MetricsExporter>> Start(
      const std::string& endpoint, const Metrics& metrics);
  ~MetricsExporter();

  // Add serves more, for as long as somebody else holds it.
  void Add(const std::weak_ptr<prometheus::Collectable>& more);

 private:
  explicit MetricsExporter(std::unique_ptr<prometheus::Exposer> exposer);

  std::unique_ptr<prometheus::Exposer> exposer_;
};

}  // namespace culvert
