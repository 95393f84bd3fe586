// ServerService: the gRPC service culvert.management.v1.Radius. Its methods run on gRPC's threads.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <utility>
#include <vector>

#include "controlplane/radius/client/server.h"
#include "culvert/management/v1/management.grpc.pb.h"

namespace culvert::radius {

class ServerService final : public management::v1::Radius::Service {
 public:
  explicit ServerService(std::vector<std::shared_ptr<ServerStats>> servers)
      : servers_(std::move(servers)) {}

  // ListServers: in the order of the configuration, authentication before accounting.
  grpc::Status ListServers(grpc::ServerContext* context,
                           const management::v1::ListRadiusServersRequest* request,
                           management::v1::ListRadiusServersResponse* response) override;

 private:
  const std::vector<std::shared_ptr<ServerStats>> servers_;
};

}  // namespace culvert::radius
