#include "controlplane/dataplane_client/frame_stream.h"

#include <utility>

namespace culvert {

namespace {
constexpr int kMaxWaiting = 65536;  // frames
constexpr int kMaxBatch = 1024;     // frames of at most 1.5 KiB: below gRPC's 4 MiB
}  // namespace

void FrameStream::Start(dataplane::v1::Dataplane::Stub* stub, grpc::ClientContext* context) {
  context_ = context;
  stub->async()->Frames(context, this);
  AddHold();  // writes start outside of reactions; Close() lets go
  StartRead(&read_);
  StartCall();
}

void FrameStream::OnReadInitialMetadataDone(bool ok) {
  // A refusal comes without: the key must be there.
  bool attached = ok && context_->GetServerInitialMetadata().count("culvert-frames") != 0;
  absl::MutexLock lock(&mutex_);
  attached_ = attached;
}

bool FrameStream::WaitAttached(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  auto known = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return attached_ || closed_; };
  return mutex_.AwaitWithTimeout(absl::Condition(&known), timeout) && attached_ && !closed_;
}

bool FrameStream::Add(uint64_t handle, wire::Octets frame) {
  absl::MutexLock lock(&mutex_);
  if (closed_ || waiting_.frames_size() >= kMaxWaiting) {
    return false;
  }
  dataplane::v1::Frame& added = *waiting_.add_frames();
  added.set_handle(handle);
  added.set_data(frame.data(), frame.size());
  return true;
}

void FrameStream::Flush() {
  absl::MutexLock lock(&mutex_);
  if (!closed_ && !writing_) {
    WriteNext();
  }
}

void FrameStream::WriteNext() {
  if (waiting_.frames_size() == 0) {
    return;
  }
  written_.Clear();
  if (waiting_.frames_size() <= kMaxBatch) {
    written_.Swap(&waiting_);
  } else {
    for (int i = 0; i < kMaxBatch; ++i) {
      written_.add_frames()->Swap(waiting_.mutable_frames(i));
    }
    waiting_.mutable_frames()->DeleteSubrange(0, kMaxBatch);
  }
  writing_ = true;
  StartWrite(&written_);
}

void FrameStream::OnWriteDone(bool ok) {
  absl::MutexLock lock(&mutex_);
  writing_ = false;
  if (ok && !closed_) {
    WriteNext();
  }
}

void FrameStream::OnReadDone(bool ok) {
  if (!ok) {
    return Close();
  }
  received_(std::exchange(read_, {}));
  StartRead(&read_);
}

void FrameStream::Close() {
  {
    absl::MutexLock lock(&mutex_);
    if (std::exchange(closed_, true)) {
      return;
    }
  }
  RemoveHold();
}

void FrameStream::OnDone(const grpc::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
  }
  done_(status);
}

}  // namespace culvert
