// Readings of the control connections.
#pragma once

#include <prometheus/metric_family.h>

#include <cstddef>
#include <map>
#include <vector>

#include "controlplane/pptp/control_settings.h"

namespace culvert {

// AddControl adds the totals of all shards to `families`.
void AddControl(const std::map<size_t, pptp::ControlCounters>& shards,
                std::vector<prometheus::MetricFamily>* families);

}  // namespace culvert
