// DataplaneClient keeps the control plane connected to the data plane, over again for as long as
// it lives, and carries operations and frames between it and the shards. Calls are not kept over
// a lost connection: the shards end them.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <asio/io_context.hpp>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "controlplane/dataplane_client/dataplane_session.h"
#include "controlplane/logging/log_limit.h"

namespace culvert {

// DataplaneSink is a shard's ear. Its functions run on the shard's loop.
class DataplaneSink {
 public:
  virtual ~DataplaneSink() = default;
  // OnDataplaneUp: Program() and SendFrame() work from now on; the data plane holds no calls.
  virtual void OnDataplaneUp() = 0;
  // OnDataplaneDown: every call of this shard is gone there.
  virtual void OnDataplaneDown() = 0;
  virtual void OnFrames(std::vector<dataplane::v1::Frame> frames) = 0;
  virtual void OnEvents(std::vector<dataplane::v1::Event> events) = 0;
};

class DataplaneClient {
 public:
  using Answered = ProgramStream::Answered;
  struct Shard {
    asio::io_context* loop;
    DataplaneSink* sink;
  };
  struct Callbacks {
    CounterStream::Received counters;    // one message at a time, on gRPC's threads
    std::function<void(bool up)> state;  // on the client's own thread
  };

  // `target`: as DataplaneSession's.
  DataplaneClient(std::string target, Callbacks callbacks);
  ~DataplaneClient();
  DataplaneClient(const DataplaneClient&) = delete;
  DataplaneClient& operator=(const DataplaneClient&) = delete;

  // Start connects for the first time; `shards` outlive the client. Once.
  void Start(std::vector<Shard> shards);
  // Stop disconnects and waits; the shards are not told.
  void Stop();

  // Program asks for one operation. `answered` is called once, on the loop of shard `shard`; with
  // UNAVAILABLE when the data plane is not there. Operations of one thread stay in order.
  void Program(size_t shard, dataplane::v1::Operation operation, Answered answered);
  // Submit is Program for what is no call's; any thread answers, perhaps at once.
  void Submit(dataplane::v1::Operation operation, Answered answered);
  // SendFrame is false when the frame was dropped.
  bool SendFrame(uint64_t handle, wire::Octets frame);

  // Trace has `write` take each of the next `count` packets of a call, until it answers false. The
  // caller's thread waits; `context` ends the wait when its own caller goes.
  grpc::Status Trace(const grpc::ServerContext& context, uint64_t handle, uint32_t count,
                     const std::function<bool(const dataplane::v1::TracedPacket&)>& write);

  // ShardOf: the Call ID in a handle names the shard (CallIdPool).
  [[nodiscard]] size_t ShardOf(uint64_t handle) const {
    return static_cast<size_t>(handle & 0xffff) % shards_.size();
  }

 private:
  void Run();
  void RunSession();
  void OnFrames(dataplane::v1::FrameBatch batch);
  void OnEvents(const dataplane::v1::EventBatch& batch);
  void TellShards(void (DataplaneSink::*told)());
  void LogFailure(const absl::Status& status);
  bool PauseOrStop();

  const std::string target_;
  const Callbacks callbacks_;
  std::vector<Shard> shards_;
  absl::Mutex mutex_;
  std::shared_ptr<DataplaneSession> session_ ABSL_GUARDED_BY(mutex_);  // null: not connected
  std::shared_ptr<DataplaneSession> opening_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Duration pause_;  // of Run() only, as is what follows
  LogLimit log_limit_{std::chrono::seconds(10)};
  std::thread thread_;
};

}  // namespace culvert
