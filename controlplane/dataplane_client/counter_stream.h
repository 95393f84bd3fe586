// CounterStream: one Counters RPC, a round a second. Rounds come on gRPC's threads.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>

#include "culvert/dataplane/v1/dataplane.grpc.pb.h"

namespace culvert {

class CounterStream final : public grpc::ClientReadReactor<dataplane::v1::CountersResponse> {
 public:
  using Received = std::function<void(const dataplane::v1::CountersResponse&)>;
  // `done`: as ProgramStream's. `received` is called for one message at a time.
  CounterStream(Received received, std::function<void(const grpc::Status&)> done)
      : received_(std::move(received)), done_(std::move(done)) {}

  void Start(dataplane::v1::Dataplane::Stub* stub, grpc::ClientContext* context) {
    constexpr uint32_t kRoundMs = 1000;
    request_.set_interval_ms(kRoundMs);
    request_.set_calls(true);
    stub->async()->Counters(context, &request_, this);
    StartRead(&response_);
    StartCall();
  }
  void OnReadDone(bool ok) override {
    if (ok) {
      received_(response_);
      StartRead(&response_);
    }
  }
  void OnDone(const grpc::Status& status) override { done_(status); }

 private:
  const Received received_;
  const std::function<void(const grpc::Status&)> done_;
  dataplane::v1::CountersRequest request_;
  dataplane::v1::CountersResponse response_;
};

}  // namespace culvert
