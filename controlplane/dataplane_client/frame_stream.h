// FrameStream: one Frames RPC. Frames are gathered until Flush(), and while a batch is being
// written. Any thread may call Add(); frames from the data plane come on gRPC's threads.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>
#include <grpcpp/grpcpp.h>

#include <functional>

#include "culvert/dataplane/v1/dataplane.grpc.pb.h"
#include "proto/wire/cursor.h"

namespace culvert {

class FrameStream final
    : public grpc::ClientBidiReactor<dataplane::v1::FrameBatch, dataplane::v1::FrameBatch> {
 public:
  using Received = std::function<void(dataplane::v1::FrameBatch)>;
  // `done`: as ProgramStream's. `received` is called for one batch at a time.
  FrameStream(Received received, std::function<void(const grpc::Status&)> done)
      : received_(std::move(received)), done_(std::move(done)) {}

  // `context` outlives the RPC.
  void Start(dataplane::v1::Dataplane::Stub* stub, grpc::ClientContext* context);
  // WaitAttached: true when the data plane has made us its controller; false when it refuses or
  // does not say within `timeout`.
  [[nodiscard]] bool WaitAttached(absl::Duration timeout);

  // Add keeps a frame until Flush(); it is false when the frame was dropped: the RPC is over, or
  // too many frames wait. PPP sends again what matters.
  bool Add(uint64_t handle, wire::Octets frame);
  void Flush();

  void OnReadInitialMetadataDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Close();

  const Received received_;
  const std::function<void(const grpc::Status&)> done_;
  absl::Mutex mutex_;
  dataplane::v1::FrameBatch waiting_ ABSL_GUARDED_BY(mutex_);
  grpc::ClientContext* context_ = nullptr;
  bool attached_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  dataplane::v1::FrameBatch written_;  // gRPC's while writing_
  dataplane::v1::FrameBatch read_;     // gRPC's between OnReadDone()s
};

}  // namespace culvert
