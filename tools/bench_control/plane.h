// Plane stands in for culvert-dataplane: it answers Program at once and passes PPP frames between
// the control plane and the clients of this process. No packet, no GRE: what is measured is the
// control plane.
#pragma once

#include <absl/synchronization/mutex.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "culvert/dataplane/v1/dataplane.grpc.pb.h"
#include "tools/bench_control/carrier.h"

namespace culvert::bench {

class Plane final : public Carrier, public dataplane::v1::Dataplane::CallbackService {
 public:
  // Answers on `socket_path`. `wake` is called on a thread of gRPC's when frames wait for Take().
  Plane(const std::string& socket_path, std::function<void()> wake);
  ~Plane() override;

  // WaitAttached: false when no control plane has come in 20 s.
  bool WaitAttached();
  // Open: 0 when there is no such call.
  [[nodiscard]] uint64_t Open(const Ends& ends) override;
  [[nodiscard]] size_t num_calls() override;
  // upserts: how many there were.
  [[nodiscard]] uint64_t upserts() const { return upserts_; }
  // batches: how many Program requests and batches of frames came.
  [[nodiscard]] uint64_t program_batches() const { return program_batches_; }
  [[nodiscard]] uint64_t frame_batches() const { return frame_batches_; }

  void Send(dataplane::v1::FrameBatch frames) override;
  [[nodiscard]] std::vector<dataplane::v1::FrameBatch> Take() override;

 private:
  class ProgramReactor;
  class FramesReactor;
  class CountersReactor;
  class EventsReactor;

  grpc::ServerUnaryReactor* Describe(grpc::CallbackServerContext* context,
                                     const dataplane::v1::DescribeRequest* request,
                                     dataplane::v1::DescribeResponse* response) override;
  grpc::ServerBidiReactor<dataplane::v1::ProgramRequest, dataplane::v1::ProgramResponse>* Program(
      grpc::CallbackServerContext* context) override;
  grpc::ServerBidiReactor<dataplane::v1::FrameBatch, dataplane::v1::FrameBatch>* Frames(
      grpc::CallbackServerContext* context) override;
  grpc::ServerWriteReactor<dataplane::v1::ListResponse>* List(
      grpc::CallbackServerContext* context, const dataplane::v1::ListRequest* request) override;
  grpc::ServerWriteReactor<dataplane::v1::CountersResponse>* Counters(
      grpc::CallbackServerContext* context, const dataplane::v1::CountersRequest* request) override;
  grpc::ServerWriteReactor<dataplane::v1::EventBatch>* Events(
      grpc::CallbackServerContext* context, const dataplane::v1::EventsRequest* request) override;
  // TakeNew: handles whose counters a round has to tell.
  [[nodiscard]] std::vector<uint64_t> TakeNew();
  void Apply(const dataplane::v1::Operation& operation, dataplane::v1::Result* result);

  const std::function<void()> wake_;
  absl::Mutex mutex_;
  // Key: local address << 16 | Call ID. Value: handle.
  std::unordered_map<uint64_t, uint64_t> calls_ ABSL_GUARDED_BY(mutex_);
  std::vector<uint64_t> new_ ABSL_GUARDED_BY(mutex_), told_once_ ABSL_GUARDED_BY(mutex_);
  uint32_t generation_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<dataplane::v1::FrameBatch> arrived_ ABSL_GUARDED_BY(mutex_);
  FramesReactor* frames_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::atomic<uint64_t> upserts_{0}, program_batches_{0}, frame_batches_{0};
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace culvert::bench
