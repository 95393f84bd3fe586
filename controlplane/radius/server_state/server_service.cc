#include "controlplane/radius/server_state/server_service.h"

#include "controlplane/radius/client/steady_us.h"
#include "controlplane/radius/server_state/server_view.h"

namespace culvert::radius {

grpc::Status ServerService::ListServers(grpc::ServerContext*,
                                        const management::v1::ListRadiusServersRequest*,
                                        management::v1::ListRadiusServersResponse* response) {
  const uint64_t now_us = SteadyUs();
  for (const std::shared_ptr<ServerStats>& stats : servers_) {
    *response->add_servers() = ToProto(*stats, now_us);
  }
  return grpc::Status::OK;
}

}  // namespace culvert::radius
