// The settings of CoA and Disconnect, with the secrets that the configuration names.
#pragma once

#include <absl/status/statusor.h>

#include "controlplane/radius/dynamic/dynamic_service.h"
#include "culvert/config/v1/config.pb.h"

namespace culvert::radius {

// ReadDynamicSettings takes a configuration without problems. Errors name the secret file and the
// remedy. `listen` is empty when it is off.
[[nodiscard]] absl::StatusOr<DynamicServiceSettings> ReadDynamicSettings(
    const config::v1::Config& config);

}  // namespace culvert::radius
