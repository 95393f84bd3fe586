// ReloadService: the gRPC service culvert.management.v1.Configuration. Its methods run on gRPC's
// threads.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>

#include "controlplane/reload/reload.h"
#include "culvert/management/v1/management.grpc.pb.h"

namespace culvert {

class ReloadService final : public management::v1::Configuration::Service {
 public:
  // `reload` outlives the service; null: it is not to be served.
  explicit ReloadService(culvert::Reload* reload) : reload_(reload) {}

  [[nodiscard]] bool available() const { return reload_ != nullptr; }

  // Reload: INVALID_ARGUMENT lists what is wrong, one line each.
  grpc::Status Reload(grpc::ServerContext* context, const management::v1::ReloadRequest* request,
                      management::v1::ReloadResponse* response) override;

 private:
  culvert::Reload* const reload_;
};

}  // namespace culvert
