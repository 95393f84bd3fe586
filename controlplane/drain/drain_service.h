// DrainService: the gRPC service culvert.management.v1.Drain. Its methods run on gRPC's threads.
#pragma once

#include <grpcpp/grpcpp.h>

#include "controlplane/drain/drain.h"
#include "culvert/management/v1/management.grpc.pb.h"

namespace culvert {

class DrainService final : public management::v1::Drain::Service {
 public:
  // `drain` outlives the service; null: it is not to be served.
  explicit DrainService(Drain* drain) : drain_(drain) {}

  [[nodiscard]] bool available() const { return drain_ != nullptr; }

  // Start: INVALID_ARGUMENT for a deadline that is negative or beyond 30 days.
  grpc::Status Start(grpc::ServerContext* context, const management::v1::StartDrainRequest* request,
                     management::v1::DrainStatus* response) override;
  grpc::Status Cancel(grpc::ServerContext* context,
                      const management::v1::CancelDrainRequest* request,
                      management::v1::DrainStatus* response) override;
  grpc::Status Get(grpc::ServerContext* context, const management::v1::GetDrainRequest* request,
                   management::v1::DrainStatus* response) override;

 private:
  void Tell(management::v1::DrainStatus* response) const;

  Drain* const drain_;
};

}  // namespace culvert
