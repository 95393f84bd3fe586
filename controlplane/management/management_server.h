// ManagementServer: the management API on its Unix socket, with health service and reflection.
#pragma once

#include <absl/status/statusor.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "controlplane/drain/drain_service.h"
#include "controlplane/management/calls_service.h"
#include "controlplane/management/dataplane_service.h"
#include "controlplane/radius/server_state/server_service.h"
#include "controlplane/reload/reload_service.h"

namespace culvert {

// ManagementParts: what the API works on; pointers outlive the server.
struct ManagementParts {
  CallDirectory* directory = nullptr;
  TerminateCalls terminate;
  ChangeCall change;
  const LastRound* round = nullptr;
  DataplaneClient* dataplane = nullptr;
  Drain* drain = nullptr;
  std::vector<std::shared_ptr<radius::ServerStats>> radius_servers = {};
  Reload* reload = nullptr;
};

class ManagementServer {
 public:
  // Start listens on `socket_path` with mode 0660. A socket file on which nobody answers is
  // replaced. Errors name the path and the remedy.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<ManagementServer>> Start(
      const std::string& socket_path, ManagementParts parts);
  // Stops, when Stop() did not.
  ~ManagementServer();
  ManagementServer(const ManagementServer&) = delete;
  ManagementServer& operator=(const ManagementServer&) = delete;

  // Stop ends the watches, lets running calls finish for at most a second, removes the socket.
  void Stop();

 private:
  ManagementServer(std::string socket_path, ManagementParts parts);

  const std::string socket_path_;
  CallDirectory* const directory_;
  CallsService calls_service_;
  DataplaneService dataplane_service_;
  DrainService drain_service_;
  radius::ServerService radius_service_;
  ReloadService reload_service_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace culvert
