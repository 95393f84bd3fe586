#include "controlplane/dataplane_client/fake_dataplane.h"

#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <unistd.h>

namespace culvert::testing {

namespace v1 = dataplane::v1;

FakeDataplane::FakeDataplane(std::string socket_path)
    : instance_(static_cast<uint64_t>(absl::ToUnixNanos(absl::Now()))) {
  unlink(socket_path.c_str());
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + socket_path, grpc::InsecureServerCredentials());
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
}

FakeDataplane::~FakeDataplane() { Stop(); }

void FakeDataplane::Stop() {
  Release();
  server_->Shutdown(std::chrono::system_clock::now());
}

std::map<uint64_t, v1::CallConfig> FakeDataplane::Calls() {
  absl::MutexLock lock(&mutex_);
  return calls_;
}

bool FakeDataplane::WaitFor(
    std::function<bool(const std::map<uint64_t, v1::CallConfig>&)> condition) {
  absl::MutexLock lock(&mutex_);
  auto met = [&] { return condition(calls_); };
  return mutex_.AwaitWithTimeout(absl::Condition(&met), absl::Seconds(5));
}

void FakeDataplane::AddStrayCall(uint64_t handle) {
  absl::MutexLock lock(&mutex_);
  calls_[handle].set_handle(handle);
}

void FakeDataplane::SetUpsertError(int code, std::string message) {
  absl::MutexLock lock(&mutex_);
  upsert_error_ = code;
  upsert_message_ = std::move(message);
}

void FakeDataplane::RefuseNextUpsert(int code, std::string message) {
  SetUpsertError(code, std::move(message));
  absl::MutexLock lock(&mutex_);
  one_error_ = true;
}

void FakeDataplane::Hold() {
  absl::MutexLock lock(&mutex_);
  held_ = true;
}

void FakeDataplane::Release() {
  absl::MutexLock lock(&mutex_);
  held_ = false;
}

void FakeDataplane::Deliver(uint64_t handle, const std::vector<uint8_t>& frame) {
  v1::FrameBatch batch;
  v1::Frame& added = *batch.add_frames();
  added.set_handle(handle);
  added.set_data(frame.data(), frame.size());
  absl::MutexLock lock(&mutex_);
  auto open = [this] { return frames_ != nullptr; };
  mutex_.AwaitWithTimeout(absl::Condition(&open), absl::Seconds(5));
  if (frames_ != nullptr) {
    frames_->Write(batch);
  }
}

std::optional<v1::Frame> FakeDataplane::TakeFrame(int timeout_ms) {
  absl::MutexLock lock(&mutex_);
  auto some = [this] { return !frames_down_.empty(); };
  if (!mutex_.AwaitWithTimeout(absl::Condition(&some), absl::Milliseconds(timeout_ms))) {
    return std::nullopt;
  }
  v1::Frame frame = std::move(frames_down_.front());
  frames_down_.pop_front();
  return frame;
}

void FakeDataplane::Happen(uint64_t handle, v1::Event::Kind kind) {
  absl::MutexLock lock(&mutex_);
  v1::Event& event = events_.emplace_back();
  event.set_handle(handle);
  event.set_kind(kind);
}

grpc::Status FakeDataplane::Events(grpc::ServerContext* context, const v1::EventsRequest*,
                                   grpc::ServerWriter<v1::EventBatch>* writer) {
  while (!context->IsCancelled()) {
    v1::EventBatch batch;
    {
      absl::MutexLock lock(&mutex_);
      auto some = [this] { return !events_.empty(); };
      mutex_.AwaitWithTimeout(absl::Condition(&some), absl::Milliseconds(50));
      for (; !events_.empty(); events_.pop_front()) {
        *batch.add_events() = events_.front();
      }
    }
    if (batch.events_size() > 0 && !writer->Write(batch)) {
      break;
    }
  }
  return grpc::Status::OK;
}

grpc::Status FakeDataplane::Trace(grpc::ServerContext*, const v1::TraceRequest* request,
                                  grpc::ServerWriter<v1::TracedPacket>* writer) {
  if (!Calls().contains(request->handle())) {
    return {grpc::StatusCode::NOT_FOUND, "stale handle"};
  }
  v1::TracedPacket packet;
  packet.set_length(request->count());
  packet.set_downstream(true);
  v1::TracedStep& step = *packet.add_steps();
  step.set_name("ttl");
  step.set_verdict("drop");
  step.set_drop_reason("ttl_expired");
  writer->Write(packet);
  return grpc::Status::OK;
}

grpc::Status FakeDataplane::Describe(grpc::ServerContext*, const v1::DescribeRequest*,
                                     v1::DescribeResponse* response) {
  response->set_instance(instance_);
  response->set_version("fake");
  response->set_workers(1);
  return grpc::Status::OK;
}

v1::Result FakeDataplane::Apply(const v1::Operation& operation) {
  v1::Result result;
  if (operation.has_upsert_filter()) {
    filters_[operation.upsert_filter().id()] = operation.upsert_filter();
    return result;
  }
  if (operation.kind_case() == v1::Operation::kRemoveFilter) {
    return RemoveFilter(operation.remove_filter());
  }
  if (!operation.has_upsert()) {
    result.set_handle(operation.remove());
    result.mutable_final_counters()->set_handle(operation.remove());
    calls_.erase(operation.remove());
    return result;
  }
  const v1::CallConfig& config = operation.upsert();
  if (upsert_error_ != 0) {
    result.set_code(upsert_error_);
    result.set_message(upsert_message_);
    if (std::exchange(one_error_, false)) {
      upsert_error_ = 0;
    }
    return result;
  }
  uint64_t handle = config.handle() != 0 ? config.handle() : ++generation_ << 32 | config.call_id();
  if (config.handle() != 0 && !calls_.contains(handle)) {
    result.set_code(static_cast<int>(grpc::StatusCode::NOT_FOUND));
    return result;
  }
  if (config.filter() != 0 && !filters_.contains(config.filter())) {
    result.set_code(static_cast<int>(grpc::StatusCode::NOT_FOUND));
    result.set_message("filter: there is no such filter");
    return result;
  }
  calls_[handle] = config;
  calls_[handle].set_handle(handle);
  result.set_handle(handle);
  return result;
}

v1::Result FakeDataplane::RemoveFilter(uint32_t id) {
  v1::Result result;
  for (const auto& [handle, config] : calls_) {
    if (config.filter() == id) {
      result.set_code(static_cast<int>(grpc::StatusCode::FAILED_PRECONDITION));
      return result;
    }
  }
  filters_.erase(id);
  return result;
}

std::vector<int> FakeDataplane::Requests() {
  absl::MutexLock lock(&mutex_);
  return requests_;
}

std::map<uint32_t, v1::Filter> FakeDataplane::Filters() {
  absl::MutexLock lock(&mutex_);
  return filters_;
}

grpc::Status FakeDataplane::Program(
    grpc::ServerContext*,
    grpc::ServerReaderWriter<v1::ProgramResponse, v1::ProgramRequest>* stream) {
  v1::ProgramRequest request;
  while (stream->Read(&request)) {
    v1::ProgramResponse response;
    response.set_batch(request.batch());
    {
      absl::MutexLock lock(&mutex_);
      requests_.push_back(request.operations_size());
      for (const v1::Operation& operation : request.operations()) {
        *response.add_results() = Apply(operation);
      }
      auto released = [this] { return !held_; };
      mutex_.Await(absl::Condition(&released));
    }
    stream->Write(response);
  }
  return grpc::Status::OK;
}

grpc::Status FakeDataplane::Frames(
    grpc::ServerContext* context,
    grpc::ServerReaderWriter<v1::FrameBatch, v1::FrameBatch>* stream) {
  {
    absl::MutexLock lock(&mutex_);
    if (frames_ != nullptr) {
      return {grpc::StatusCode::ALREADY_EXISTS, "another controller has the Frames stream"};
    }
    frames_ = stream;
    context->AddInitialMetadata("culvert-frames", "attached");
    stream->SendInitialMetadata();
  }
  v1::FrameBatch batch;
  while (stream->Read(&batch)) {
    absl::MutexLock lock(&mutex_);
    for (const v1::Frame& frame : batch.frames()) {
      frames_down_.push_back(frame);
    }
  }
  absl::MutexLock lock(&mutex_);
  frames_ = nullptr;
  return grpc::Status::OK;
}

grpc::Status FakeDataplane::List(grpc::ServerContext*, const v1::ListRequest*,
                                 grpc::ServerWriter<v1::ListResponse>* writer) {
  for (const auto& [handle, config] : Calls()) {
    v1::ListResponse response;
    *response.add_calls()->mutable_config() = config;
    writer->Write(response);
  }
  return grpc::Status::OK;
}

grpc::Status FakeDataplane::Counters(grpc::ServerContext* context, const v1::CountersRequest*,
                                     grpc::ServerWriter<v1::CountersResponse>* writer) {
  while (!context->IsCancelled()) {
    v1::CountersResponse round;
    for (const auto& [handle, config] : Calls()) {
      v1::CallCounters& counters = *round.add_calls();
      counters.set_handle(handle);
      counters.set_upstream_packets(7);
    }
    v1::WorkerCounters& worker = *round.add_workers();
    worker.set_received(5);
    v1::StageCounter& stage = *worker.add_stages();
    stage.set_name("input");
    stage.set_packets(4);
    stage.set_cycles(400);
    round.add_ports()->set_name("wan0");
    round.set_mbufs_total(77);
    round.set_end_of_round(true);
    if (!writer->Write(round)) {
      break;
    }
    absl::SleepFor(absl::Milliseconds(100));
  }
  return grpc::Status::OK;
}

}  // namespace culvert::testing
