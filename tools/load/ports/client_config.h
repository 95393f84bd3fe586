// The plan's keys for a DPDK port, as the data plane's configuration.
#pragma once

#include <string>

#include "culvert/config/v1/config.pb.h"
#include "tools/load/plan/plan.h"

namespace culvert::load {

struct ClientConfig {
  config::v1::Config config;  // to be used only without a problem
  std::string problem;        // one line; empty: none
};
// MakeClientConfig wants a plan with `device`. It looks at the machine: which interfaces have
// addresses, what huge pages there are.
[[nodiscard]] ClientConfig MakeClientConfig(const Plan& plan);

}  // namespace culvert::load
