// ControlPlane puts the parts of the process together, and takes them apart in order.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/aaa/admission.h"
#include "controlplane/aaa/auth_backends.h"
#include "controlplane/aaa/local_users.h"
#include "controlplane/aaa/pools/address_pools.h"
#include "controlplane/aaa/users/user_files.h"
#include "controlplane/accounting/accounting.h"
#include "controlplane/drain/drain.h"
#include "controlplane/hooks/call_hooks.h"
#include "controlplane/management/management_server.h"
#include "controlplane/metrics/metrics_exporter.h"
#include "controlplane/radius/client/client.h"
#include "controlplane/radius/dynamic/dynamic_service.h"
#include "controlplane/radius/login/radius_authenticator.h"
#include "controlplane/radius/server_state/server_metrics.h"
#include "controlplane/reload/reload.h"
#include "controlplane/shard/services.h"
#include "controlplane/shard/shard.h"
#include "culvert/config/v1/config.pb.h"

namespace culvert {

class ControlPlane {
 public:
  // Surroundings: what does not stand in the configuration.
  struct Surroundings {
    std::string version;
    std::string config_file = {};  // where Reload() finds it; empty: the defaults
    // At most so many control connections, for want of descriptors; absent: as configured.
    std::optional<uint32_t> max_connections = {};
  };
  // Start listens, connects to the data plane and serves. `config` has no problems. Errors are one
  // line that names what is wrong and the remedy.
  static absl::StatusOr<std::unique_ptr<ControlPlane>> Start(const config::v1::Config& config,
                                                             Users users,
                                                             Surroundings surroundings);
  // Stops at once, when Stop() did not.
  ~ControlPlane();

  // ReadAgain reads the configuration and the users again; the log tells what came of it.
  void ReadAgain() { (void)reload_.Run(); }
  // Stop tells the clients and the data plane, and ends all threads; takes less than 5 s.
  void Stop();

 private:
  ControlPlane(const config::v1::Config& config, Users users, Surroundings surroundings,
               std::unique_ptr<radius::Client> radius);
  // Apply is the last step of a reload: control_plane_reload.cc.
  void Apply(const config::v1::Config& config);
  absl::Status StartParts(const config::v1::Config& config);
  absl::Status MakeShards(const config::v1::Config& config);
  absl::Status StartAccounting(const config::v1::Config& config);
  absl::Status StartDynamic(const config::v1::Config& config);
  void Terminate(const std::vector<uint64_t>& ids, const std::string& reason);
  void Change(uint64_t id, CallChange change, CallChanged done);
  // PostTo runs `work` on the thread of the call's shard.
  void PostTo(const CallFacts& call, std::function<void()> work);
  void AddAaaReadings();

  filters::FilterRegistry filters_;  // before all that may hold one of its filters
  CallDirectory directory_;
  Metrics metrics_;
  LastRound round_;
  pptp::SourceLimits source_limits_;
  AddressPools pools_;
  ipv6::PrefixPools prefix_pools_;
  ipv6::PrefixAssignment prefixes_;
  std::shared_ptr<const Users> loaded_users_;  // at start
  LocalUsers users_;
  UserFiles user_files_;
  const std::unique_ptr<radius::Client> radius_;
  const std::shared_ptr<radius::ServerMetrics> radius_metrics_;
  radius::RadiusAuthenticator radius_users_;
  AuthBackends backends_;
  LockOut lock_out_;
  SessionLimits sessions_;
  CallHooks hooks_;
  Admission admission_;
  Drain drain_;
  DataplaneClient dataplane_;
  std::unique_ptr<accounting::Transport> accounting_transport_;
  std::unique_ptr<accounting::Accounting> accounting_;  // null: nobody wants to know
  Services services_;
  Reload reload_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<ManagementServer> management_;
  std::unique_ptr<MetricsExporter> exporter_;
  std::unique_ptr<radius::DynamicService> dynamic_;
};

}  // namespace culvert
