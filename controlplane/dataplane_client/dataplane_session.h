// DataplaneSession: one connection to the data plane, from Describe to the end of its streams.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <grpcpp/grpcpp.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "controlplane/dataplane_client/counter_stream.h"
#include "controlplane/dataplane_client/event_stream.h"
#include "controlplane/dataplane_client/frame_stream.h"
#include "controlplane/dataplane_client/program_stream.h"

namespace culvert {

class DataplaneSession {
 public:
  struct Callbacks {  // on gRPC's threads
    ProgramStream::Deliver answers;
    FrameStream::Received frames;
    CounterStream::Received counters;
    EventStream::Received events;
  };
  // `target`: gRPC's name of the data plane, as "unix:/run/culvert/dataplane.sock".
  DataplaneSession(const std::string& target, Callbacks callbacks);
  // Cancels what runs and waits for it.
  ~DataplaneSession();
  DataplaneSession(const DataplaneSession&) = delete;
  DataplaneSession& operator=(const DataplaneSession&) = delete;

  // Open asks who the data plane is, opens the streams and, once Frames is ours, removes the calls
  // that it holds: nobody's any more. Blocks for some seconds at most. Once.
  absl::StatusOr<dataplane::v1::DescribeResponse> Open();

  // Wait blocks until a stream has ended or Cancel() was called, and gives the reason. A data
  // plane that owes answers and gives none for kAnswerTimeout counts as gone.
  absl::Status Wait();
  // Cancel ends all streams. Any thread.
  void Cancel();

  ProgramStream& program() { return program_; }
  FrameStream& frames() { return frames_; }
  // flush_due: whether somebody has promised to flush both for a shard.
  std::atomic<bool>& flush_due(size_t shard) { return flush_due_[shard % kMaxShards]; }
  // stub may outlive the session.
  std::shared_ptr<dataplane::v1::Dataplane::Stub> stub() { return stub_; }

  static constexpr std::chrono::seconds kAnswerTimeout{10};

 private:
  absl::StatusOr<std::vector<uint64_t>> ListHandles();
  absl::Status RemoveAll(const std::vector<uint64_t>& handles);
  void OnStreamDone(std::string_view stream, const grpc::Status& status);

  static constexpr size_t kMaxShards = 64;
  const std::shared_ptr<dataplane::v1::Dataplane::Stub> stub_;
  std::array<std::atomic<bool>, kMaxShards> flush_due_{};
  grpc::ClientContext list_context_, program_context_, frames_context_, counters_context_,
      events_context_;
  ProgramStream program_;
  FrameStream frames_;
  CounterStream counters_;
  EventStream events_;
  absl::Mutex mutex_;
  int running_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status end_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace culvert
