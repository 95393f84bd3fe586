#include "tools/bench_control/plane.h"

#include <grpcpp/alarm.h>
#include <unistd.h>

#include <chrono>
#include <utility>

namespace culvert::bench {

namespace v1 = dataplane::v1;

namespace {

uint64_t KeyOf(uint32_t local_address, uint32_t call_id) {
  return uint64_t{local_address} << 16 | call_id;
}

}  // namespace

class Plane::ProgramReactor final
    : public grpc::ServerBidiReactor<v1::ProgramRequest, v1::ProgramResponse> {
 public:
  explicit ProgramReactor(Plane* plane) : plane_(plane) { StartRead(&request_); }
  void OnReadDone(bool ok) override {
    if (!ok) {
      return Finish(grpc::Status::OK);
    }
    ++plane_->program_batches_;
    response_.Clear();
    response_.set_batch(request_.batch());
    {
      absl::MutexLock lock(&plane_->mutex_);
      for (const v1::Operation& operation : request_.operations()) {
        plane_->Apply(operation, response_.add_results());
      }
    }
    StartWrite(&response_);
  }
  void OnWriteDone(bool ok) override {
    if (ok) {
      StartRead(&request_);
    }
  }
  void OnDone() override { delete this; }

 private:
  Plane* const plane_;
  v1::ProgramRequest request_;
  v1::ProgramResponse response_;
};

class Plane::FramesReactor final : public grpc::ServerBidiReactor<v1::FrameBatch, v1::FrameBatch> {
 public:
  FramesReactor(Plane* plane, grpc::CallbackServerContext* context) : plane_(plane) {
    context->AddInitialMetadata("culvert-frames", "attached");
    StartSendInitialMetadata();
    StartRead(&read_);
    absl::MutexLock lock(&plane_->mutex_);
    plane_->frames_ = this;
  }
  void Send(v1::FrameBatch frames) {
    absl::MutexLock lock(&mutex_);
    if (waiting_.frames_size() == 0) {
      waiting_.Swap(&frames);
    } else {
      for (v1::Frame& frame : *frames.mutable_frames()) {
        waiting_.add_frames()->Swap(&frame);
      }
    }
    WriteNext();
  }
  void OnWriteDone(bool ok) override {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    if (ok) {
      WriteNext();
    }
  }
  void OnReadDone(bool ok) override {
    if (!ok) {
      {
        absl::MutexLock lock(&plane_->mutex_);
        plane_->frames_ = nullptr;
      }
      return Finish(grpc::Status::OK);
    }
    ++plane_->frame_batches_;
    {
      absl::MutexLock lock(&plane_->mutex_);
      plane_->arrived_.push_back(std::exchange(read_, {}));
    }
    plane_->wake_();
    StartRead(&read_);
  }
  void OnDone() override { delete this; }

 private:
  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!writing_ && waiting_.frames_size() != 0) {
      written_.Clear();
      written_.Swap(&waiting_);
      writing_ = true;
      StartWrite(&written_);
    }
  }

  Plane* const plane_;
  v1::FrameBatch read_, written_;
  absl::Mutex mutex_;
  v1::FrameBatch waiting_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
};

// CountersReactor tells of calls that have changed in the last two rounds, as culvert-dataplane
// does: here these are the new ones.
class Plane::CountersReactor final : public grpc::ServerWriteReactor<v1::CountersResponse> {
 public:
  CountersReactor(Plane* plane, uint32_t interval_ms) : plane_(plane), interval_ms_(interval_ms) {
    Round();
  }
  void OnWriteDone(bool ok) override {
    if (!ok || cancelled_) {
      return Finish(grpc::Status::OK);
    }
    if (next_ < handles_.size()) {
      return WriteSome();
    }
    alarm_.Set(std::chrono::system_clock::now() + std::chrono::milliseconds(interval_ms_),
               [this](bool) { cancelled_ ? Finish(grpc::Status::OK) : Round(); });
  }
  void OnCancel() override {
    cancelled_ = true;
    alarm_.Cancel();
  }
  void OnDone() override { delete this; }

 private:
  static constexpr size_t kCallsPerMessage = 1024;

  void Round() {
    handles_ = plane_->TakeNew();
    next_ = 0;
    WriteSome();
  }
  void WriteSome() {
    message_.Clear();
    for (size_t i = 0; i < kCallsPerMessage && next_ < handles_.size(); ++i) {
      v1::CallCounters& counters = *message_.add_calls();
      counters.set_handle(handles_[next_++]);
      counters.set_upstream_packets(7);
      counters.set_upstream_octets(4711);
    }
    if (next_ == handles_.size()) {
      message_.add_workers();
      message_.set_num_calls(plane_->num_calls());
      message_.set_end_of_round(true);
    }
    StartWrite(&message_);
  }

  Plane* const plane_;
  const uint32_t interval_ms_;
  std::vector<uint64_t> handles_;
  size_t next_ = 0;
  std::atomic<bool> cancelled_{false};
  grpc::Alarm alarm_;
  v1::CountersResponse message_;
};

class Plane::EventsReactor final : public grpc::ServerWriteReactor<v1::EventBatch> {
 public:
  EventsReactor() { StartSendInitialMetadata(); }
  void OnCancel() override { Finish(grpc::Status::CANCELLED); }
  void OnDone() override { delete this; }
};

Plane::Plane(const std::string& socket_path, std::function<void()> wake) : wake_(std::move(wake)) {
  unlink(socket_path.c_str());
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + socket_path, grpc::InsecureServerCredentials());
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
}

Plane::~Plane() {
  if (server_ != nullptr) {
    server_->Shutdown(std::chrono::system_clock::now());
  }
}

bool Plane::WaitAttached() {
  absl::MutexLock lock(&mutex_);
  const auto attached = [this]()
                            ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return frames_ != nullptr; };
  return mutex_.AwaitWithTimeout(absl::Condition(&attached), absl::Seconds(20));
}

uint64_t Plane::Open(const Ends& ends) {
  absl::MutexLock lock(&mutex_);
  const auto it = calls_.find(KeyOf(ends.concentrator, ends.call_id));
  return it == calls_.end() ? 0 : it->second;
}

size_t Plane::num_calls() {
  absl::MutexLock lock(&mutex_);
  return calls_.size();
}

void Plane::Send(v1::FrameBatch frames) {
  absl::MutexLock lock(&mutex_);
  if (frames_ != nullptr) {
    frames_->Send(std::move(frames));
  }
}

std::vector<uint64_t> Plane::TakeNew() {
  absl::MutexLock lock(&mutex_);
  std::vector<uint64_t> news = std::exchange(told_once_, {});
  told_once_ = std::exchange(new_, {});
  news.insert(news.end(), told_once_.begin(), told_once_.end());
  return news;
}

std::vector<v1::FrameBatch> Plane::Take() {
  absl::MutexLock lock(&mutex_);
  return std::exchange(arrived_, {});
}

// Handles are as culvert-dataplane's in what others rely on: the Call ID is in the lowest 16 bits.
// The last octet of the local address stands above it, for the clients' table.
void Plane::Apply(const v1::Operation& operation, v1::Result* result) {
  if (!operation.has_upsert()) {
    const uint64_t handle = operation.remove();
    result->set_handle(handle);
    result->mutable_final_counters()->set_handle(handle);
    const uint32_t address = 0x7f000000u | (handle >> 16 & 0xff);
    calls_.erase(KeyOf(address, static_cast<uint32_t>(handle & 0xffff)));
    return;
  }
  ++upserts_;
  const v1::CallConfig& config = operation.upsert();
  uint64_t handle = config.handle();
  if (handle == 0) {
    handle =
        uint64_t{++generation_} << 32 | (config.local_address() & 0xff) << 16 | config.call_id();
    calls_[KeyOf(config.local_address(), config.call_id())] = handle;
    new_.push_back(handle);
  }
  result->set_handle(handle);
}

grpc::ServerUnaryReactor* Plane::Describe(grpc::CallbackServerContext* context,
                                          const v1::DescribeRequest*,
                                          v1::DescribeResponse* response) {
  response->set_instance(1);
  response->set_version("bench");
  response->set_workers(1);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerBidiReactor<v1::ProgramRequest, v1::ProgramResponse>* Plane::Program(
    grpc::CallbackServerContext*) {
  return new ProgramReactor(this);
}

grpc::ServerBidiReactor<v1::FrameBatch, v1::FrameBatch>* Plane::Frames(
    grpc::CallbackServerContext* context) {
  return new FramesReactor(this, context);
}

grpc::ServerWriteReactor<v1::ListResponse>* Plane::List(grpc::CallbackServerContext*,
                                                        const v1::ListRequest*) {
  struct Nothing final : grpc::ServerWriteReactor<v1::ListResponse> {
    Nothing() { Finish(grpc::Status::OK); }
    void OnDone() override { delete this; }
  };
  return new Nothing;
}

grpc::ServerWriteReactor<v1::CountersResponse>* Plane::Counters(
    grpc::CallbackServerContext*, const v1::CountersRequest* request) {
  return new CountersReactor(this, request->interval_ms());
}

grpc::ServerWriteReactor<v1::EventBatch>* Plane::Events(grpc::CallbackServerContext*,
                                                        const v1::EventsRequest*) {
  return new EventsReactor;
}

}  // namespace culvert::bench
