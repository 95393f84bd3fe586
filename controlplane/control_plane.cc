#include "controlplane/control_plane.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <asio/post.hpp>
#include <chrono>
#include <utility>

#include "controlplane/aaa/policy/readings.h"
#include "controlplane/aaa/reservations.h"
#include "controlplane/accounting/delivery/radius_transport.h"
#include "controlplane/accounting/readings.h"
#include "controlplane/accounting/settings.h"
#include "controlplane/radius/dynamic/dynamic_settings.h"
#include "controlplane/radius/settings.h"
#include "controlplane/settings.h"
#include "controlplane/settings_ipv6.h"
#include "controlplane/shard/random.h"

namespace culvert {

namespace {
// After the shards, which take 3.5 s at most, and all within the 5 s of Stop().
constexpr std::chrono::milliseconds kAccountingPatience{800};
constexpr uint64_t kMsPerSecond = 1000;

constexpr std::chrono::seconds kUserFilesPeriod{1};
constexpr uint64_t kHooksGraceMs = 400;  // of the same 5 s

Admission::Approve MakeApproval(CallHooks* hooks) {
  return [hooks](const CallFacts& call, const AuthResult& result,
                 std::function<void(bool approved)> done) {
    hooks->Ask({.call = call.id,
                .user = result.user,
                .peer_address = call.peer_address,
                .local_address = call.local_address,
                .client_address = result.lease.client_address,
                .upstream_bps = result.grants.upstream_bps.value_or(0),
                .downstream_bps = result.grants.downstream_bps.value_or(0),
                .dns = result.grants.dns,
                .wins = result.grants.wins,
                .prefix = result.lease.prefix,
                .delegated_prefix = result.lease.delegated_prefix,
                .grants = result.grants,
                .names = call.names},
               std::move(done));
  };
}

std::shared_ptr<const Users> ReserveFixed(Users users, AddressPools& pools,
                                          ipv6::PrefixPools& prefixes) {
  Reserve(users, pools, prefixes);
  return std::make_shared<const Users>(std::move(users));
}

// MakeStartLimits: with so many control connections at most as there are descriptors for.
pptp::SourceLimits::Settings MakeStartLimits(const config::v1::Config& config,
                                             std::optional<uint32_t> max_connections) {
  pptp::SourceLimits::Settings settings = MakeSourceLimits(config);
  settings.max_total = max_connections.value_or(config.pptp().max_connections());
  return settings;
}

// InOrder: of auth.backends.
std::vector<Authenticator*> InOrder(const config::v1::Config& config, Authenticator* local,
                                    Authenticator* radius) {
  std::vector<Authenticator*> backends;
  for (const std::string& name : config.auth().backends()) {
    backends.push_back(name == "radius" ? radius : local);
  }
  return backends;
}

absl::StatusOr<std::unique_ptr<radius::Client>> StartRadius(const config::v1::Config& config) {
  radius::ClientSettings settings;
  const std::vector<config::Problem> problems = radius::ReadClientSettings(config, settings);
  if (!problems.empty()) {
    return absl::FailedPreconditionError(config::Format(problems.front()));
  }
  return radius::Client::Start(std::move(settings));
}
}  // namespace

absl::StatusOr<std::unique_ptr<ControlPlane>> ControlPlane::Start(const config::v1::Config& config,
                                                                  Users users,
                                                                  Surroundings surroundings) {
  absl::StatusOr<std::unique_ptr<radius::Client>> radius = StartRadius(config);
  if (!radius.ok()) {
    return radius.status();
  }
  std::unique_ptr<ControlPlane> plane(
      new ControlPlane(config, std::move(users), std::move(surroundings), std::move(*radius)));
  if (absl::Status status = plane->StartParts(config); !status.ok()) {
    return status;
  }
  return plane;
}

ControlPlane::ControlPlane(const config::v1::Config& config, Users users, Surroundings surroundings,
                           std::unique_ptr<radius::Client> radius)
    : filters_(MakeFilters(config), config.policy().filter(),
               [this](dataplane::v1::Operation operation, DataplaneClient::Answered answered) {
                 dataplane_.Submit(std::move(operation), std::move(answered));
               }),
      metrics_(surroundings.version, &directory_),
      source_limits_(MakeStartLimits(config, surroundings.max_connections)),
      pools_(MakePools(config), config.policy().address_rest_s() * kMsPerSecond, RandomBelow,
             config.policy().remembered_addresses()),
      prefix_pools_(MakePrefixPools(config), config.ipv6().prefix_rest_s() * kMsPerSecond,
                    config.ipv6().remembered_prefixes(), Random64()),
      prefixes_(&prefix_pools_, MakePrefixChoice(config)),
      loaded_users_(ReserveFixed(std::move(users), pools_, prefix_pools_)),
      users_(loaded_users_, MakeLocalUserSettings(config),
             {.write =
                  [this](PasswordEdit edit, UserFiles::Changed done) {
                    user_files_.ChangePassword(std::move(edit), std::move(done));
                  },
              .post = [this](const CallFacts& call,
                             std::function<void()> work) { PostTo(call, std::move(work)); }}),
      user_files_(MakeUserPaths(config), std::exchange(loaded_users_, nullptr),
                  [this](const Users& before, const std::shared_ptr<const Users>& now) {
                    ReserveBoth(before, *now, pools_, prefix_pools_);
                    users_.Replace(now);
                    ReserveNew(before, *now, pools_, prefix_pools_);
                  }),
      radius_(std::move(radius)),
      radius_metrics_(std::make_shared<radius::ServerMetrics>(radius_->stats())),
      radius_users_(radius_.get(), radius::MakeAccessSettings(config)),
      backends_(InOrder(config, &users_, &radius_users_)),
      lock_out_(MakeLockOutSettings(config), Random64()),
      sessions_(Random64(), config.policy().user_case() == "ignore",
                [this](const std::vector<uint64_t>& calls) {
                  for (const std::unique_ptr<Shard>& shard : shards_) {
                    shard->Terminate(calls, EndCause::kReplaced, "the user has logged in again");
                  }
                }),
      hooks_(MakeHookSettings(config)),
      admission_({.backend = &backends_,
                  .pools = &pools_,
                  .lock_out = &lock_out_,
                  .sessions = &sessions_,
                  .prefixes = config.ppp().ipv6() == "allow" ? &prefixes_ : nullptr,
                  .filters = &filters_,
                  .clock = SteadyMs,
                  .post = [this](const CallFacts& call,
                                 std::function<void()> work) { PostTo(call, std::move(work)); },
                  .approve = MakeApproval(&hooks_)},
                 MakeAdmissionSettings(config)),
      drain_(
          SteadyMs, [this] { return directory_.MatchingIds({}); },
          [this](const std::vector<uint64_t>& ids) { Terminate(ids, "drained"); }),
      dataplane_(absl::StrCat("unix:", config.dataplane().socket()),
                 {.counters =
                      [this](const dataplane::v1::CountersResponse& round) {
                        directory_.OnCounters(round);
                        metrics_.OnDataplaneCounters(round);
                        round_.Take(round);
                        if (accounting_ != nullptr) {
                          accounting_->OnTraffic(accounting::TrafficOf(round));
                        }
                      },
                  .state =
                      [this](bool up) {
                        metrics_.SetDataplaneUp(up);
                        round_.SetUp(up);
                        if (up) {
                          filters_.OnDataplaneUp();
                        }
                      }}),
      reload_(config, {.read =
                           [path = std::move(surroundings.config_file)] {
                             return config::Load(path, config::Process::kControlplane);
                           },
                       .read_users = [this] { return user_files_.ReadNow(); },
                       .apply = [this](const config::v1::Config& now) { Apply(now); }}) {
  services_ = {.settings = MakeShardSettings(config),
               .call_id_rest_ms = config.pptp().call_id_rest_s() * uint64_t{1000},
               .source_limits = &source_limits_,
               .admission = &admission_,
               .drain = &drain_,
               .hooks = &hooks_,
               .dataplane = &dataplane_,
               .directory = &directory_,
               .metrics = &metrics_};
  // Ours for good, whatever a RADIUS server says.
  pools_.Reserve(services_.settings->ppp->gateway_address);
  (void)pools_.AcquireFixed(services_.settings->ppp->gateway_address);
  metrics_.SetPoolSource([this] {
    std::vector<PoolUsage> usage;
    for (const AddressPools::Usage& pool : pools_.usage()) {
      usage.push_back({.name = pool.name,
                       .used = pool.in_use,
                       .total = pool.size,
                       .resting = pool.resting,
                       .refused = pool.refused});
    }
    for (const ipv6::PrefixPools::Usage& pool : prefix_pools_.usage()) {
      usage.push_back({.name = "ipv6:" + pool.name,
                       .used = pool.in_use,
                       .total = pool.size,
                       .resting = pool.resting,
                       .refused = pool.refused});
    }
    return usage;
  });
  AddAaaReadings();
}

void ControlPlane::AddAaaReadings() {
  metrics_.AddSource([this](std::vector<Reading>& readings) {
    AddLockOutReadings(lock_out_.counters(SteadyMs()), readings);
    AddSessionReadings(sessions_.counters(), readings);
    AddUserReadings(user_files_, readings);
    hooks_.AddReadings(readings);
    filters_.AddReadings(readings);
    reload_.AddReadings(readings);
  });
}

absl::Status ControlPlane::StartAccounting(const config::v1::Config& config) {
  if (accounting::HasServers(config)) {
    accounting_transport_ = std::make_unique<accounting::RadiusTransport>(
        radius_.get(), radius::MakeNasIdentity(config));
  } else if (!config.accounting().file().empty()) {
    auto file = accounting::JsonTransport::Open(config.accounting().file());
    if (!file.ok()) {
      return file.status();
    }
    accounting_transport_ = *std::move(file);
  } else {
    return absl::OkStatus();
  }
  auto started = accounting::Accounting::Start(accounting::MakeSettings(config),
                                               accounting_transport_.get(), RandomBelow);
  if (!started.ok()) {
    return started.status();
  }
  accounting_ = *std::move(started);
  services_.accounting = accounting_.get();
  metrics_.AddSource([this](std::vector<Reading>& readings) {
    accounting::AddReadings(accounting_->Usage(), readings);
  });
  return absl::OkStatus();
}

absl::Status ControlPlane::StartParts(const config::v1::Config& config) {
  if (absl::Status status = StartAccounting(config); !status.ok()) {
    return status;
  }
  if (absl::Status status = MakeShards(config); !status.ok()) {
    return status;
  }
  absl::StatusOr<std::unique_ptr<ManagementServer>> management = ManagementServer::Start(
      config.management().socket(),
      {.directory = &directory_,
       .terminate =
           [this](const std::vector<uint64_t>& ids) {
             Terminate(ids, "terminated by the operator");
           },
       .change = [this](uint64_t id, CallChange change,
                        CallChanged done) { Change(id, std::move(change), std::move(done)); },
       .round = &round_,
       .dataplane = &dataplane_,
       .drain = &drain_,
       .radius_servers = radius_->stats(),
       .reload = &reload_});
  if (!management.ok()) {
    return management.status();
  }
  management_ = std::move(*management);
  if (!config.metrics().listen().empty()) {
    absl::StatusOr<std::unique_ptr<MetricsExporter>> exporter =
        MetricsExporter::Start(config.metrics().listen(), metrics_);
    if (!exporter.ok()) {
      return exporter.status();
    }
    exporter_ = std::move(*exporter);
    exporter_->Add(radius_metrics_);
  }
  if (absl::Status status = StartDynamic(config); !status.ok()) {
    return status;
  }
  std::vector<DataplaneClient::Shard> ears;
  for (const std::unique_ptr<Shard>& shard : shards_) {
    ears.push_back({.loop = &shard->loop(), .sink = shard.get()});
  }
  dataplane_.Start(std::move(ears));
  user_files_.Start(kUserFilesPeriod);
  drain_.Run();
  for (const std::unique_ptr<Shard>& shard : shards_) {
    shard->Start();
  }
  return absl::OkStatus();
}

absl::Status ControlPlane::MakeShards(const config::v1::Config& config) {
  const std::vector<config::Endpoint> endpoints = MakeEndpoints(config);
  const size_t num_shards = config.control().shards();
  for (size_t i = 0; i < num_shards; ++i) {
    shards_.push_back(std::make_unique<Shard>(i, num_shards, &services_));
    if (absl::Status status = shards_.back()->Listen(endpoints); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

absl::Status ControlPlane::StartDynamic(const config::v1::Config& config) {
  if (config.radius().dynamic().listen().empty()) {
    return absl::OkStatus();
  }
  absl::StatusOr<radius::DynamicServiceSettings> settings = radius::ReadDynamicSettings(config);
  if (!settings.ok()) {
    return settings.status();
  }
  auto dynamic = radius::DynamicService::Start(
      std::move(*settings), &directory_,
      [this](uint64_t id, CallChange change, CallChanged done) {
        Change(id, std::move(change), std::move(done));
      },
      [this](const std::vector<uint64_t>& ids, const std::string& reason) {
        Terminate(ids, reason);
      });
  if (!dynamic.ok()) {
    return dynamic.status();
  }
  dynamic_ = std::move(*dynamic);
  if (exporter_ != nullptr) {
    exporter_->Add(dynamic_->metrics());
  }
  return absl::OkStatus();
}

void ControlPlane::Terminate(const std::vector<uint64_t>& ids, const std::string& reason) {
  for (const std::unique_ptr<Shard>& shard : shards_) {
    shard->Terminate(ids, EndCause::kTerminated, reason);
  }
}

void ControlPlane::Change(uint64_t id, CallChange change, CallChanged done) {
  const uint64_t handle = directory_.HandleOf(id);  // its Call ID names the shard
  if (handle == 0) {
    return done(absl::NotFoundError("there is no such call"));
  }
  // Without [[filters]] a name is for the hooks alone and takes no call's own rules away.
  if (change.filter_rules || (change.filter_id && filters_.HasNamed())) {
    auto filter = filters_.Resolve(change.filter_id.value_or(""),
                                   std::exchange(change.filter_rules, {}).value_or(""));
    if (!filter.ok()) {
      return done(filter.status());
    }
    change.filter = *std::move(filter);
  }
  shards_[dataplane_.ShardOf(handle)]->Change(id, std::move(change), std::move(done));
}

void ControlPlane::PostTo(const CallFacts& call, std::function<void()> work) {
  asio::post(shards_[dataplane_.ShardOf(call.nas_port)]->loop(), std::move(work));
}

void ControlPlane::Stop() {
  if (dynamic_ != nullptr) {
    dynamic_->Stop();
  }
  for (const std::unique_ptr<Shard>& shard : shards_) {
    shard->Shutdown();
  }
  for (const std::unique_ptr<Shard>& shard : shards_) {
    shard->Join();
  }
  if (management_ != nullptr) {
    management_->Stop();
  }
  dataplane_.Stop();
  if (accounting_ != nullptr) {
    accounting_->Stop(kAccountingPatience);
  }
  hooks_.Stop(kHooksGraceMs);
  radius_->Stop();
}

ControlPlane::~ControlPlane() {
  // What calls into others goes before them: nothing may post to a shard that has gone.
  user_files_.Stop();
  dynamic_.reset();
  exporter_.reset();
  management_.reset();
  dataplane_.Stop();
  filters_.Stop();
  drain_.Stop();
  sessions_.Abandon();
  hooks_.Stop(0);
  if (accounting_ != nullptr) {
    accounting_->Stop({});  // it sends no more, and still listens to the shards
  }
  radius_->Stop();
  // None goes while another one runs and may still post to it.
  for (const std::unique_ptr<Shard>& shard : shards_) {
    shard->Halt();
  }
  shards_.clear();
  accounting_.reset();
}

}  // namespace culvert
