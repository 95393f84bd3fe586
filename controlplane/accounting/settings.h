// The accounting part of the configuration, and the data plane's counters, in the forms that
// accounting takes.
#pragma once

#include <utility>
#include <vector>

#include "controlplane/accounting/accounting.h"
#include "controlplane/accounting/delivery/json_transport.h"
#include "culvert/config/v1/config.pb.h"
#include "culvert/dataplane/v1/dataplane.pb.h"

namespace culvert::accounting {

// MakeSettings takes a configuration without problems.
[[nodiscard]] AccountingSettings MakeSettings(const config::v1::Config& config);

// HasServers: a RADIUS server is there for accounting.
[[nodiscard]] bool HasServers(const config::v1::Config& config);

// TrafficOf: the calls of a counter round, by handle.
[[nodiscard]] std::vector<std::pair<uint64_t, Traffic>> TrafficOf(
    const dataplane::v1::CountersResponse& round);

}  // namespace culvert::accounting
