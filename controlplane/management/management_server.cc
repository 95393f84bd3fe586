#include "controlplane/management/management_server.h"

#include <fmt/format.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "controlplane/management/socket_path.h"

namespace culvert {
namespace {

constexpr const char* kServiceNames[] = {
    "culvert.management.v1.Calls", "culvert.management.v1.Dataplane", "culvert.management.v1.Drain",
    "culvert.management.v1.Radius", "culvert.management.v1.Configuration"};
// A watch holds a thread; the rest is for short calls.
constexpr int kMaxThreads = static_cast<int>(CallDirectory::kMaxWatches) + 32;
constexpr mode_t kSocketMode = 0660;

}  // namespace

ManagementServer::ManagementServer(std::string socket_path, ManagementParts parts)
    : socket_path_(std::move(socket_path)),
      directory_(parts.directory),
      calls_service_(parts.directory, std::move(parts.terminate), std::move(parts.change)),
      dataplane_service_(parts.directory, parts.round, parts.dataplane),
      drain_service_(parts.drain),
      radius_service_(std::move(parts.radius_servers)),
      reload_service_(parts.reload) {}

ManagementServer::~ManagementServer() { Stop(); }

absl::StatusOr<std::unique_ptr<ManagementServer>> ManagementServer::Start(
    const std::string& socket_path, ManagementParts parts) {
  if (absl::Status prepared = PrepareSocketPath(socket_path); !prepared.ok()) return prepared;
  // Both are switches for all servers of the process that are built from here on.
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  std::unique_ptr<ManagementServer> server(new ManagementServer(socket_path, std::move(parts)));
  grpc::ResourceQuota quota("management");
  quota.SetMaxThreads(kMaxThreads);
  grpc::ServerBuilder builder;
  builder.SetResourceQuota(quota);
  builder.AddListeningPort("unix:" + socket_path, grpc::InsecureServerCredentials());
  builder.RegisterService(&server->calls_service_);
  builder.RegisterService(&server->dataplane_service_);
  builder.RegisterService(&server->radius_service_);
  if (server->drain_service_.available()) {
    builder.RegisterService(&server->drain_service_);
  }
  if (server->reload_service_.available()) {
    builder.RegisterService(&server->reload_service_);
  }
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr) {
    return absl::UnavailableError(fmt::format(
        "management.socket {}: cannot listen there: check the folder and its permissions",
        socket_path));
  }
  if (chmod(socket_path.c_str(), kSocketMode) != 0) {
    return absl::UnavailableError(fmt::format("management.socket {}: cannot set its mode: {}",
                                              socket_path, std::strerror(errno)));
  }
  for (const char* name : kServiceNames) {
    server->server_->GetHealthCheckService()->SetServingStatus(name, true);
  }
  return server;
}

void ManagementServer::Stop() {
  if (server_ == nullptr) return;
  server_->GetHealthCheckService()->SetServingStatus(false);
  directory_->CloseWatches();
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
  server_->Wait();
  server_.reset();
  unlink(socket_path_.c_str());
}

}  // namespace culvert
