// DataplaneService: the gRPC service culvert.management.v1.Dataplane. Its methods run on gRPC's
// threads.
#pragma once

#include <grpcpp/grpcpp.h>

#include "controlplane/dataplane_client/dataplane_client.h"
#include "controlplane/dataplane_client/last_round.h"
#include "controlplane/management/call_directory.h"
#include "culvert/management/v1/management.grpc.pb.h"

namespace culvert {

class DataplaneService final : public management::v1::Dataplane::Service {
 public:
  // All outlive the service.
  DataplaneService(const CallDirectory* directory, const LastRound* round, DataplaneClient* client)
      : directory_(directory), round_(round), client_(client) {}

  // Get: UNAVAILABLE while the data plane is away.
  grpc::Status Get(grpc::ServerContext* context, const management::v1::GetDataplaneRequest* request,
                   management::v1::GetDataplaneResponse* response) override;
  // TraceCall: INVALID_ARGUMENT names the field, NOT_FOUND when there is no such call.
  grpc::Status TraceCall(grpc::ServerContext* context,
                         const management::v1::TraceCallRequest* request,
                         grpc::ServerWriter<dataplane::v1::TracedPacket>* writer) override;

 private:
  const CallDirectory* const directory_;
  const LastRound* const round_;
  DataplaneClient* const client_;
};

}  // namespace culvert
