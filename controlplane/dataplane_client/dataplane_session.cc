#include "controlplane/dataplane_client/dataplane_session.h"

#include <absl/strings/str_cat.h>
#include <absl/time/time.h>

#include <vector>

namespace culvert {

namespace v1 = dataplane::v1;

namespace {

constexpr int kMaxMessageLen = 64 << 20;

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target) {
  grpc::ChannelArguments arguments;
  // A pool of its own: no back-off is carried over from the last session.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(kMaxMessageLen);
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

absl::Status ToAbsl(std::string_view what, const grpc::Status& status) {
  return {static_cast<absl::StatusCode>(status.error_code()),
          absl::StrCat(std::string(what), ": ", status.error_message())};
}

void SetDeadline(grpc::ClientContext& context, std::chrono::milliseconds timeout) {
  context.set_deadline(std::chrono::system_clock::now() + timeout);
}

}  // namespace

DataplaneSession::DataplaneSession(const std::string& target, Callbacks callbacks)
    : stub_(v1::Dataplane::NewStub(MakeChannel(target))),
      program_(std::move(callbacks.answers),
               [this](const grpc::Status& status) { OnStreamDone("Program", status); }),
      frames_(std::move(callbacks.frames),
              [this](const grpc::Status& status) { OnStreamDone("Frames", status); }),
      counters_(std::move(callbacks.counters),
                [this](const grpc::Status& status) { OnStreamDone("Counters", status); }),
      events_(std::move(callbacks.events),
              [this](const grpc::Status& status) { OnStreamDone("Events", status); }) {}

DataplaneSession::~DataplaneSession() {
  Cancel();
  absl::MutexLock lock(&mutex_);
  auto none = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return running_ == 0; };
  mutex_.Await(absl::Condition(&none));
}

absl::StatusOr<v1::DescribeResponse> DataplaneSession::Open() {
  grpc::ClientContext context;
  SetDeadline(context, std::chrono::seconds(2));
  v1::DescribeResponse description;
  if (grpc::Status status = stub_->Describe(&context, {}, &description); !status.ok()) {
    return ToAbsl("Describe", status);
  }
  {
    absl::MutexLock lock(&mutex_);
    running_ = 3;
  }
  frames_.Start(stub_.get(), &frames_context_);
  program_.Start(stub_.get(), &program_context_);
  counters_.Start(stub_.get(), &counters_context_);
  // Calls may be another controller's as long as it has the Frames stream.
  if (!frames_.WaitAttached(absl::Seconds(2))) {
    absl::MutexLock lock(&mutex_);
    return ending_ ? end_ : absl::DeadlineExceededError("Frames: no answer in 2 s");
  }
  {
    absl::MutexLock lock(&mutex_);
    ++running_;
  }
  events_.Start(stub_.get(), &events_context_);
  absl::StatusOr<std::vector<uint64_t>> handles = ListHandles();
  if (!handles.ok()) {
    return handles.status();
  }
  if (absl::Status status = RemoveAll(*handles); !status.ok()) {
    return status;
  }
  return description;
}

absl::StatusOr<std::vector<uint64_t>> DataplaneSession::ListHandles() {
  SetDeadline(list_context_, std::chrono::seconds(30));
  std::unique_ptr<grpc::ClientReader<v1::ListResponse>> reader = stub_->List(&list_context_, {});
  std::vector<uint64_t> handles;
  v1::ListResponse response;
  while (reader->Read(&response)) {
    for (const v1::ListResponse::Entry& entry : response.calls()) {
      handles.push_back(entry.config().handle());
    }
  }
  if (grpc::Status status = reader->Finish(); !status.ok()) {
    return ToAbsl("List", status);
  }
  return handles;
}

absl::Status DataplaneSession::RemoveAll(const std::vector<uint64_t>& handles) {
  absl::Mutex mutex;
  size_t left = handles.size();
  for (uint64_t handle : handles) {
    v1::Operation operation;
    operation.set_remove(handle);
    program_.Submit(std::move(operation), [&](const v1::Result&) {
      absl::MutexLock lock(&mutex);
      --left;
    });
  }
  // Every operation is answered, by the stream's end at the latest, so this ends when Cancel()
  // comes.
  auto none = [&] { return left == 0; };
  mutex.LockWhenWithTimeout(absl::Condition(&none), absl::Seconds(30));
  bool in_time = left == 0;
  mutex.Unlock();
  if (!in_time) {
    Cancel();
    mutex.LockWhen(absl::Condition(&none));
    mutex.Unlock();
    return absl::DeadlineExceededError("Program: stale calls were not removed in 30 s");
  }
  return absl::OkStatus();
}

absl::Status DataplaneSession::Wait() {
  for (;;) {
    {
      absl::MutexLock lock(&mutex_);
      auto ending = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ending_; };
      if (mutex_.AwaitWithTimeout(absl::Condition(&ending), absl::Seconds(1))) {
        return end_;
      }
    }
    std::optional<ProgramStream::Clock::time_point> since = program_.SilentSince();
    if (since && ProgramStream::Clock::now() - *since > kAnswerTimeout) {
      Cancel();
      return absl::DeadlineExceededError(
          absl::StrCat("Program: no answer in ", kAnswerTimeout.count(), " s"));
    }
  }
}

void DataplaneSession::Cancel() {
  {
    absl::MutexLock lock(&mutex_);
    if (!ending_) {
      ending_ = true;
      end_ = absl::CancelledError("cancelled");
    }
  }
  list_context_.TryCancel();
  program_context_.TryCancel();
  frames_context_.TryCancel();
  counters_context_.TryCancel();
  events_context_.TryCancel();
}

void DataplaneSession::OnStreamDone(std::string_view stream, const grpc::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    if (!ending_) {
      ending_ = true;
      end_ = status.ok() ? absl::UnavailableError(absl::StrCat(std::string(stream), ": ended"))
                         : ToAbsl(stream, status);
    }
  }
  Cancel();
  absl::MutexLock lock(&mutex_);
  --running_;
}

}  // namespace culvert
