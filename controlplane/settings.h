// Settings: the configuration in the form the parts of the control plane take.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "controlplane/aaa/admission.h"
#include "controlplane/aaa/eap/local_eap.h"
#include "controlplane/aaa/local_users.h"
#include "controlplane/aaa/pools/address_pools.h"
#include "controlplane/aaa/users/user_files.h"
#include "controlplane/hooks/call_hooks.h"
#include "controlplane/ppp/call.h"
#include "controlplane/pptp/control_settings.h"
#include "controlplane/pptp/source_limits.h"
#include "controlplane/shard/services.h"
#include "culvert/config/v1/config.pb.h"
#include "proto/config/address/address.h"
#include "proto/config/load.h"

namespace culvert {

// These take a configuration without problems.
[[nodiscard]] std::shared_ptr<const pptp::ControlSettings> MakeControlSettings(
    const config::v1::Config& config);
[[nodiscard]] std::shared_ptr<const ppp::PppSettings> MakePppSettings(
    const config::v1::Config& config);
// MakeShardSettings: all of the two above and more.
[[nodiscard]] std::shared_ptr<const ShardSettings> MakeShardSettings(
    const config::v1::Config& config);
// MakeEapSettings: of the local users' EAP server.
[[nodiscard]] eap::Settings MakeEapSettings(const config::v1::Config& config);
[[nodiscard]] LocalUserSettings MakeLocalUserSettings(const config::v1::Config& config);
[[nodiscard]] dataplane::v1::CallConfig MakeCallTemplate(const config::v1::Config& config);
[[nodiscard]] std::vector<filters::NamedRules> MakeFilters(const config::v1::Config& config);
[[nodiscard]] pptp::SourceLimits::Settings MakeSourceLimits(const config::v1::Config& config);
[[nodiscard]] std::vector<config::Ipv4Prefix> MakeAllowedSources(const config::v1::Config& config);
// MakeListenerRates: one for each of MakeEndpoints().
[[nodiscard]] std::vector<CallRates> MakeListenerRates(const config::v1::Config& config);
[[nodiscard]] std::vector<AddressPools::Pool> MakePools(const config::v1::Config& config);
[[nodiscard]] std::vector<config::Endpoint> MakeEndpoints(const config::v1::Config& config);

[[nodiscard]] UserFiles::Paths MakeUserPaths(const config::v1::Config& config);
[[nodiscard]] LockOut::Settings MakeLockOutSettings(const config::v1::Config& config);
[[nodiscard]] CallHooks::Settings MakeHookSettings(const config::v1::Config& config);
[[nodiscard]] Admission::Settings MakeAdmissionSettings(const config::v1::Config& config);

}  // namespace culvert
