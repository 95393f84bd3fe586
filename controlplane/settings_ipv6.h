// From the configuration to what the IPv6 side of calls takes.
#pragma once

#include <memory>
#include <vector>

#include "controlplane/ipv6/link_settings.h"
#include "controlplane/ipv6/prefix/assignment.h"
#include "controlplane/ipv6/prefix/pools.h"
#include "culvert/config/v1/config.pb.h"

namespace culvert {

// MakeLinkSettings: `machine` tells this machine from others; the same at each start.
[[nodiscard]] std::shared_ptr<const ipv6::LinkSettings> MakeLinkSettings(
    const config::v1::Config& config, const std::string& machine);
[[nodiscard]] std::vector<ipv6::PrefixPools::Pool> MakePrefixPools(
    const config::v1::Config& config);
[[nodiscard]] ipv6::PrefixAssignment::Choice MakePrefixChoice(const config::v1::Config& config);

// MachineName is that of the operating system's installation, or else of the host.
[[nodiscard]] std::string MachineName();

}  // namespace culvert
