// The RADIUS part of the configuration in the form the client takes.
#pragma once

#include <vector>

#include "controlplane/radius/client/client.h"
#include "controlplane/radius/login/access_request.h"
#include "culvert/config/v1/config.pb.h"
#include "proto/config/load.h"

namespace culvert::radius {

// ReadClientSettings reads the secrets' files too. With problems `settings` is not to be used.
// `config` has no problems of its own.
[[nodiscard]] std::vector<config::Problem> ReadClientSettings(const config::v1::Config& config,
                                                              ClientSettings& settings);
[[nodiscard]] AccessSettings MakeAccessSettings(const config::v1::Config& config);
// MakeNasIdentity: also for accounting and CoA.
[[nodiscard]] NasIdentity MakeNasIdentity(const config::v1::Config& config);

}  // namespace culvert::radius
