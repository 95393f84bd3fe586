// FakeDataplane answers like culvert-dataplane, without packets. Only for tests.
#pragma once

#include <absl/synchronization/mutex.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "culvert/dataplane/v1/dataplane.grpc.pb.h"

namespace culvert::testing {

class FakeDataplane final : public dataplane::v1::Dataplane::Service {
 public:
  // Answers on `socket_path` until it is destroyed or Stop() comes.
  explicit FakeDataplane(std::string socket_path);
  ~FakeDataplane() override;
  void Stop();

  // Calls that it holds, by handle.
  [[nodiscard]] std::map<uint64_t, dataplane::v1::CallConfig> Calls();
  // WaitFor gives up after 5 s.
  bool WaitFor(std::function<bool(const std::map<uint64_t, dataplane::v1::CallConfig>&)> condition);
  // Filters that it holds, by id.
  [[nodiscard]] std::map<uint32_t, dataplane::v1::Filter> Filters();
  // AddStrayCall makes a call that no control plane has asked for.
  void AddStrayCall(uint64_t handle);
  // SetUpsertError refuses upserts from now on; code 0: no more.
  void SetUpsertError(int code, std::string message);
  // RefuseNextUpsert is SetUpsertError for one.
  void RefuseNextUpsert(int code, std::string message);
  // Hold keeps answers to Program back; Release lets them go.
  void Hold();
  void Release();
  // Requests: how many operations each Program request had.
  [[nodiscard]] std::vector<int> Requests();

  // Deliver sends a frame up, as from the client of the call; TakeFrame waits up to 5 s for the
  // next one that goes down to it.
  void Deliver(uint64_t handle, const std::vector<uint8_t>& frame);
  std::optional<dataplane::v1::Frame> TakeFrame(int timeout_ms = 5000);
  // Happen sends an event of a call.
  void Happen(uint64_t handle, dataplane::v1::Event::Kind kind);

  grpc::Status Describe(grpc::ServerContext*, const dataplane::v1::DescribeRequest*,
                        dataplane::v1::DescribeResponse*) override;
  grpc::Status Program(grpc::ServerContext*,
                       grpc::ServerReaderWriter<dataplane::v1::ProgramResponse,
                                                dataplane::v1::ProgramRequest>*) override;
  grpc::Status Frames(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<dataplane::v1::FrameBatch, dataplane::v1::FrameBatch>*) override;
  grpc::Status List(grpc::ServerContext*, const dataplane::v1::ListRequest*,
                    grpc::ServerWriter<dataplane::v1::ListResponse>*) override;
  grpc::Status Counters(grpc::ServerContext*, const dataplane::v1::CountersRequest*,
                        grpc::ServerWriter<dataplane::v1::CountersResponse>*) override;

  grpc::Status Events(grpc::ServerContext*, const dataplane::v1::EventsRequest*,
                      grpc::ServerWriter<dataplane::v1::EventBatch>*) override;
  // Trace gives one packet, downstream and dropped for its TTL, and ends.
  grpc::Status Trace(grpc::ServerContext*, const dataplane::v1::TraceRequest*,
                     grpc::ServerWriter<dataplane::v1::TracedPacket>*) override;

 private:
  dataplane::v1::Result Apply(const dataplane::v1::Operation& operation);
  dataplane::v1::Result RemoveFilter(uint32_t id);

  absl::Mutex mutex_;
  std::map<uint64_t, dataplane::v1::CallConfig> calls_;
  std::map<uint32_t, dataplane::v1::Filter> filters_;
  std::deque<dataplane::v1::Frame> frames_down_;
  std::deque<dataplane::v1::Event> events_;
  grpc::ServerReaderWriter<dataplane::v1::FrameBatch, dataplane::v1::FrameBatch>* frames_ = nullptr;
  int upsert_error_ = 0;
  bool one_error_ = false;
  std::string upsert_message_;
  bool held_ = false;
  std::vector<int> requests_;
  uint64_t generation_ = 0;
  uint64_t instance_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace culvert::testing
