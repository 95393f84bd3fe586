// CallsService: the gRPC service culvert.management.v1.Calls over a CallDirectory. Its methods
// run on gRPC's threads.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "controlplane/management/call_change.h"
#include "controlplane/management/call_directory.h"
#include "culvert/management/v1/management.grpc.pb.h"

namespace culvert {

// TerminateCalls asks calls to end in good order and comes back at once; ids that have gone
// meanwhile are left alone. Called by any thread.
using TerminateCalls = std::function<void(const std::vector<uint64_t>& ids)>;

class CallsService final : public management::v1::Calls::Service {
 public:
  // `directory` outlives the service.
  CallsService(CallDirectory* directory, TerminateCalls terminate, ChangeCall change);

  grpc::Status List(grpc::ServerContext* context, const management::v1::ListCallsRequest* request,
                    management::v1::ListCallsResponse* response) override;
  // Get: INVALID_ARGUMENT for what is no id, NOT_FOUND when there is no such call.
  grpc::Status Get(grpc::ServerContext* context, const management::v1::GetCallRequest* request,
                   management::v1::Call* response) override;
  // Watch ends with RESOURCE_EXHAUSTED for a watcher that does not keep up or is one too many,
  // with UNAVAILABLE when the process stops.
  grpc::Status Watch(grpc::ServerContext* context, const management::v1::WatchCallsRequest* request,
                     grpc::ServerWriter<management::v1::CallEvent>* writer) override;
  // Terminate: NOT_FOUND when a filter matches nothing.
  grpc::Status Terminate(grpc::ServerContext* context,
                         const management::v1::TerminateCallsRequest* request,
                         management::v1::TerminateCallsResponse* response) override;
  // SetRate waits for the data plane, DEADLINE_EXCEEDED after some seconds.
  grpc::Status SetRate(grpc::ServerContext* context, const management::v1::SetRateRequest* request,
                       management::v1::SetRateResponse* response) override;

 private:
  // Follow writes events, and counters each `interval` (0: never), until the watch ends.
  grpc::Status Follow(grpc::ServerContext* context, CallWatch* watch,
                      std::chrono::milliseconds interval,
                      grpc::ServerWriter<management::v1::CallEvent>* writer);

  CallDirectory* const directory_;
  const TerminateCalls terminate_;
  const ChangeCall change_;
};

}  // namespace culvert
