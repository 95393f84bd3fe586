#include "controlplane/control_plane.h"

#include <absl/strings/str_cat.h>

#include "controlplane/accounting/settings.h"
#include "controlplane/settings.h"
#include "controlplane/settings_ipv6.h"
#include "controlplane/shard/random.h"

namespace culvert {

namespace {
// One shard carries tens of thousands of calls. More of them need nothing but this number.
constexpr size_t kNumShards = 1;
constexpr uint64_t kAddressRestMs = 30'000;
// After the shards, which take 3.5 s at most, and all within the 5 s of Stop().
constexpr std::chrono::milliseconds kAccountingPatience{800};

Users ReserveFixed(Users users, AddressPools& pools) {
  for (const uint32_t address : users.FixedAddresses()) {
    pools.Reserve(address);
  }
  return users;
}
}  // namespace

absl::StatusOr<std::unique_ptr<ControlPlane>> ControlPlane::Start(const config::v1::Config& config,
                                                                  Users users,
                                                                  const std::string& version) {
  std::unique_ptr<ControlPlane> plane(new ControlPlane(config, std::move(users), version));
  if (absl::Status status = plane->StartParts(config); !status.ok()) {
    return status;
  }
  return plane;
}

ControlPlane::ControlPlane(const config::v1::Config& config, Users users,
                           const std::string& version)
    : metrics_(version, &directory_),
      source_limits_(MakeSourceLimits(config)),
      pools_(MakePools(config), kAddressRestMs, RandomBelow),
      prefix_pools_(MakePrefixPools(config), kAddressRestMs),
      prefixes_(&prefix_pools_, MakePrefixChoice(config)),
      users_(ReserveFixed(std::move(users), pools_), MakeEapSettings(config)),
      backends_({&users_}),
      admission_(&backends_, &pools_, SteadyMs,
                 config.ppp().ipv6() == "allow" ? &prefixes_ : nullptr),
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
                      }}) {
  services_ = {.control_settings = MakeControlSettings(config),
               .ppp_settings = MakePppSettings(config),
               .call_template = MakeCallTemplate(config),
               .honour_peer_window = config.pptp().honour_peer_window(),
               .listener_rates = MakeListenerRates(config),
               .call_id_rest_ms = config.pptp().call_id_rest_s() * uint64_t{1000},
               .max_connections = std::max<size_t>(1, config.pptp().max_connections() / kNumShards),
               .lcp_delay_ms = config.pptp().lcp_delay_ms(),
               .allowed_sources = MakeAllowedSources(config),
               .source_limits = &source_limits_,
               .admission = &admission_,
               .dataplane = &dataplane_,
               .directory = &directory_,
               .metrics = &metrics_};
  if (config.ppp().ipv6() == "allow") {
    services_.link_settings = MakeLinkSettings(config, MachineName());
  }
  pools_.Reserve(services_.ppp_settings->gateway_address);
  metrics_.SetPoolSource([this] {
    std::vector<PoolUsage> usage;
    for (const AddressPools::Usage& pool : pools_.usage()) {
      usage.push_back({.name = pool.name, .used = pool.in_use, .total = pool.size});
    }
    for (const ipv6::PrefixPools::Usage& pool : prefix_pools_.usage()) {
      usage.push_back({.name = "ipv6:" + pool.name, .used = pool.in_use, .total = pool.size});
    }
    return usage;
  });
}

absl::Status ControlPlane::StartAccounting(const config::v1::Config& config) {
  if (config.accounting().file().empty()) {
    return absl::OkStatus();
  }
  auto file = accounting::JsonTransport::Open(config.accounting().file());
  if (!file.ok()) {
    return file.status();
  }
  accounting_transport_ = *std::move(file);
  auto started = accounting::Accounting::Start(accounting::MakeSettings(config),
                                               accounting_transport_.get(), RandomBelow);
  if (!started.ok()) {
    return started.status();
  }
  accounting_ = *std::move(started);
  services_.accounting = accounting_.get();
  return absl::OkStatus();
}

absl::Status ControlPlane::StartParts(const config::v1::Config& config) {
  if (absl::Status status = StartAccounting(config); !status.ok()) {
    return status;
  }
  for (size_t i = 0; i < kNumShards; ++i) {
    shards_.push_back(std::make_unique<Shard>(i, kNumShards, &services_));
    if (absl::Status status = shards_.back()->Listen(MakeEndpoints(config)); !status.ok()) {
      return status;
    }
  }
  absl::StatusOr<std::unique_ptr<ManagementServer>> management = ManagementServer::Start(
      config.management().socket(),
      {.directory = &directory_,
       .terminate = [this](const std::vector<uint64_t>& ids) { Terminate(ids); },
       .change = [this](uint64_t id, CallChange change,
                        CallChanged done) { Change(id, std::move(change), std::move(done)); },
       .round = &round_,
       .dataplane = &dataplane_});
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
  }
  std::vector<DataplaneClient::Shard> ears;
  for (const std::unique_ptr<Shard>& shard : shards_) {
    ears.push_back({.loop = &shard->loop(), .sink = shard.get()});
  }
  dataplane_.Start(std::move(ears));
  for (const std::unique_ptr<Shard>& shard : shards_) {
    shard->Start();
  }
  return absl::OkStatus();
}

void ControlPlane::Terminate(const std::vector<uint64_t>& ids) {
  for (const std::unique_ptr<Shard>& shard : shards_) {
    shard->Terminate(ids, EndCause::kTerminated, "terminated by the operator");
  }
}

void ControlPlane::Change(uint64_t id, CallChange change, CallChanged done) {
  const uint64_t handle = directory_.HandleOf(id);  // its Call ID names the shard
  if (handle == 0) {
    return done(absl::NotFoundError("there is no such call"));
  }
  shards_[dataplane_.ShardOf(handle)]->Change(id, std::move(change), std::move(done));
}

void ControlPlane::Stop() {
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
}

ControlPlane::~ControlPlane() {
  // What calls into others goes before them: nothing may post to a shard that has gone.
  exporter_.reset();
  management_.reset();
  dataplane_.Stop();
  shards_.clear();
  accounting_.reset();
}

}  // namespace culvert
