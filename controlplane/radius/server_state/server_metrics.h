// ServerMetrics gives Prometheus what is counted about the RADIUS servers.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <memory>
#include <utility>
#include <vector>

#include "controlplane/radius/client/server.h"

namespace culvert::radius {

// Any thread. Labels are names from the configuration and texts of ours.
class ServerMetrics final : public prometheus::Collectable {
 public:
  explicit ServerMetrics(std::vector<std::shared_ptr<ServerStats>> servers)
      : servers_(std::move(servers)) {}
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const std::vector<std::shared_ptr<ServerStats>> servers_;
};

}  // namespace culvert::radius
