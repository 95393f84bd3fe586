// What a reload changes while calls are up. The keys are those of reload/reloadable_keys.cc.
#include <spdlog/spdlog.h>

#include "controlplane/control_plane.h"
#include "controlplane/settings.h"
#include "controlplane/settings_ipv6.h"

namespace culvert {

void ControlPlane::Apply(const config::v1::Config& config) {
  constexpr uint64_t kMsPerSecond = 1000;
  spdlog::set_level(spdlog::level::from_str(config.log().level()));
  pools_.Reconfigure(MakePools(config), config.policy().address_rest_s() * kMsPerSecond);
  prefix_pools_.Reconfigure(MakePrefixPools(config), config.ipv6().prefix_rest_s() * kMsPerSecond);
  prefixes_.Reconfigure(MakePrefixChoice(config));
  source_limits_.Reconfigure(MakeSourceLimits(config));
  lock_out_.Reconfigure(MakeLockOutSettings(config));
  hooks_.Reconfigure(MakeHookSettings(config));
  users_.Reconfigure(MakeLocalUserSettings(config));
  filters_.Reconfigure(MakeFilters(config), config.policy().filter());
  admission_.Reconfigure(MakeAdmissionSettings(config));
  const std::shared_ptr<const ShardSettings> settings = MakeShardSettings(config);
  for (const std::unique_ptr<Shard>& shard : shards_) {
    shard->Reconfigure(settings);
  }
}

}  // namespace culvert
