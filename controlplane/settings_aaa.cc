// The settings of AAA: users, lock-out, limits of users.
#include <algorithm>

#include "controlplane/settings.h"

namespace culvert {

namespace {

constexpr uint64_t kMsPerSecond = 1000;
constexpr size_t kLockOutCapacity = 65536;

// MakeListenerPools: names, empty for none; one for each of pptp.listen.
std::vector<std::string> MakeListenerPools(const config::v1::Config& config) {
  std::vector<std::string> pools;
  for (const std::string& listen : config.pptp().listen()) {
    const config::v1::ListenerPool* found = nullptr;
    for (const config::v1::ListenerPool& entry : config.pptp().pools()) {
      if (entry.listen() == listen || (entry.listen().empty() && found == nullptr)) {
        found = &entry;
      }
    }
    pools.push_back(found == nullptr ? "" : found->pool());
  }
  return pools;
}

}  // namespace

UserFiles::Paths MakeUserPaths(const config::v1::Config& config) {
  const config::v1::Auth& auth = config.auth();
  if (std::find(auth.backends().begin(), auth.backends().end(), "local") == auth.backends().end()) {
    return {};  // nobody asks for them
  }
  return {.users_file = auth.users_file(),
          .chap_secrets_file = auth.chap_secrets_file(),
          .server_name = auth.server_name(),
          .gateway = config::ParseIpv4(config.ppp().gateway_address()).value_or(0)};
}

LockOut::Settings MakeLockOutSettings(const config::v1::Config& config) {
  const config::v1::LockOut& from = config.auth().lock_out();
  LockOut::Settings settings;
  settings.max_failures[static_cast<size_t>(LockOut::Kind::kPair)] =
      from.user_and_source_failures();
  settings.max_failures[static_cast<size_t>(LockOut::Kind::kSource)] = from.source_failures();
  settings.max_failures[static_cast<size_t>(LockOut::Kind::kUser)] = from.user_failures();
  settings.window_ms = from.window_s() * kMsPerSecond;
  settings.duration_ms = from.duration_s() * kMsPerSecond;
  settings.capacity = kLockOutCapacity;
  return settings;
}

CallHooks::Settings MakeHookSettings(const config::v1::Config& config) {
  const config::v1::Hooks& from = config.hooks();
  CallHooks::Settings settings;
  const auto set = [&](HookKind kind, const std::string& program) {
    settings.programs[static_cast<size_t>(kind)] = program;
  };
  set(HookKind::kPreUp, from.ip_pre_up());
  set(HookKind::kUp, from.ip_up());
  set(HookKind::kDown, from.ip_down());
  set(HookKind::kChange, from.ip_change());
  settings.place = {.interface = config.dataplane().clients().interface(),
                    .gateway = config::ParseIpv4(config.ppp().gateway_address()).value_or(0)};
  settings.runner.timeout_ms = from.timeout_s() * kMsPerSecond;
  settings.runner.max_running = from.max_running();
  settings.runner.max_waiting = from.max_waiting();
  return settings;
}

Admission::Settings MakeAdmissionSettings(const config::v1::Config& config) {
  return {.listener_pools = MakeListenerPools(config),
          .max_sessions = config.policy().sessions_per_user(),
          .replace_sessions = config.policy().excess_sessions() == "replace",
          .asks_approval = !config.hooks().ip_pre_up().empty()};
}

}  // namespace culvert
