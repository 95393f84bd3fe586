// DynamicMetrics counts what comes to the CoA port and what becomes of it. Any thread.
#pragma once

#include <prometheus/registry.h>

#include <memory>

#include "controlplane/metrics/bounded_counter.h"

namespace culvert::radius {

struct DynamicMetrics {
  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
  BoundedCounter replies{registry.get(), "culvert_radius_dynamic_replies_total",
                         "Answers to CoA-Request and Disconnect-Request, by packet", "packet"};
  BoundedCounter refused{registry.get(), "culvert_radius_dynamic_refused_total",
                         "CoA-Requests and Disconnect-Requests refused, by Error-Cause", "cause"};
  BoundedCounter dropped{registry.get(), "culvert_radius_dynamic_dropped_total",
                         "Packets to the CoA port that got no answer, by reason", "reason"};
};

}  // namespace culvert::radius
