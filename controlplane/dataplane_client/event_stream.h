// EventStream: one Events RPC. Batches come on gRPC's threads.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <utility>

#include "culvert/dataplane/v1/dataplane.grpc.pb.h"

namespace culvert {

class EventStream final : public grpc::ClientReadReactor<dataplane::v1::EventBatch> {
 public:
  using Received = std::function<void(const dataplane::v1::EventBatch&)>;
  // `done`: as ProgramStream's. `received` is called for one batch at a time.
  EventStream(Received received, std::function<void(const grpc::Status&)> done)
      : received_(std::move(received)), done_(std::move(done)) {}

  void Start(dataplane::v1::Dataplane::Stub* stub, grpc::ClientContext* context) {
    stub->async()->Events(context, &request_, this);
    StartRead(&batch_);
    StartCall();
  }
  void OnReadDone(bool ok) override {
    if (ok) {
      received_(batch_);
      StartRead(&batch_);
    }
  }
  void OnDone(const grpc::Status& status) override { done_(status); }

 private:
  const Received received_;
  const std::function<void(const grpc::Status&)> done_;
  const dataplane::v1::EventsRequest request_;
  dataplane::v1::EventBatch batch_;
};

}  // namespace culvert
