#include "controlplane/dataplane_client/dataplane_client.h"

#include <absl/strings/str_join.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <asio/post.hpp>

namespace culvert {

namespace v1 = dataplane::v1;

namespace {
constexpr absl::Duration kFirstPause = absl::Milliseconds(100);
constexpr absl::Duration kLongestPause = absl::Seconds(2);
constexpr absl::Duration kStable = absl::Seconds(10);  // a session of this length begins anew

v1::Result NotConnected() {
  v1::Result result;
  result.set_code(static_cast<int>(grpc::StatusCode::UNAVAILABLE));
  result.set_message("the data plane is not connected");
  return result;
}

// FlushAfterTurn sends what a shard has added when its loop has done all that it has to do now: so
// what goes out in one turn goes out in one message, and nothing waits for a clock.
void FlushAfterTurn(asio::io_context& loop, const std::shared_ptr<DataplaneSession>& session,
                    size_t shard) {
  if (session->flush_due(shard).exchange(true)) {
    return;
  }
  asio::post(loop, [weak = std::weak_ptr<DataplaneSession>(session), shard] {
    if (const std::shared_ptr<DataplaneSession> alive = weak.lock()) {
      alive->flush_due(shard) = false;
      alive->program().Flush();
      alive->frames().Flush();
    }
  });
}
}  // namespace

DataplaneClient::DataplaneClient(std::string target, Callbacks callbacks)
    : target_(std::move(target)), callbacks_(std::move(callbacks)), pause_(kFirstPause) {}

DataplaneClient::~DataplaneClient() { Stop(); }

void DataplaneClient::Start(std::vector<Shard> shards) {
  shards_ = std::move(shards);
  thread_ = std::thread([this] { Run(); });
}

void DataplaneClient::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    if (opening_ != nullptr) {
      opening_->Cancel();
    }
  }
  if (thread_.joinable()) {
    thread_.join();
  }
}

void DataplaneClient::Run() {
  do {
    RunSession();
  } while (!PauseOrStop());
}

void DataplaneClient::RunSession() {
  auto session = std::make_shared<DataplaneSession>(
      target_, DataplaneSession::Callbacks{
                   .answers =
                       [this](size_t shard, std::vector<ProgramStream::Answer> answers) {
                         asio::post(*shards_[shard].loop, [answers = std::move(answers)] {
                           for (const ProgramStream::Answer& answer : answers) {
                             answer.answered(answer.result);
                           }
                         });
                       },
                   .frames = [this](v1::FrameBatch batch) { OnFrames(std::move(batch)); },
                   .counters = callbacks_.counters,
                   .events = [this](const v1::EventBatch& batch) { OnEvents(batch); }});
  {
    absl::MutexLock lock(&mutex_);
    if (stopping_) {
      return;
    }
    opening_ = session;
  }
  absl::StatusOr<v1::DescribeResponse> description = session->Open();
  if (!description.ok()) {
    LogFailure(description.status());
    return;
  }
  spdlog::info("data plane connected: version={} instance={:016x} workers={} ports={}",
               description->version(), description->instance(), description->workers(),
               absl::StrJoin(description->ports(), ","));
  absl::Time opened = absl::Now();
  {
    absl::MutexLock lock(&mutex_);
    session_ = session;
  }
  callbacks_.state(true);
  TellShards(&DataplaneSink::OnDataplaneUp);
  absl::Status end = session->Wait();
  if (absl::Now() - opened > kStable) {
    pause_ = kFirstPause;
  }
  {
    absl::MutexLock lock(&mutex_);
    session_ = opening_ = nullptr;
    if (stopping_) {
      return;
    }
  }
  session.reset();  // answers what was asked; so shards hear of the end last
  spdlog::error("data plane lost: {}; its calls are ended", std::string(end.message()));
  callbacks_.state(false);
  TellShards(&DataplaneSink::OnDataplaneDown);
}

void DataplaneClient::LogFailure(const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  if (std::optional<uint64_t> left_out = log_limit_.Admit(); left_out && !stopping_) {
    spdlog::warn("no data plane at {}: {}; trying on (is culvert-dataplane running?)", target_,
                 std::string(status.message()));
  }
}

bool DataplaneClient::PauseOrStop() {
  absl::MutexLock lock(&mutex_);
  opening_ = nullptr;
  mutex_.AwaitWithTimeout(absl::Condition(&stopping_), pause_);
  pause_ = std::min(pause_ * 2, kLongestPause);
  return stopping_;
}

void DataplaneClient::Program(size_t shard, v1::Operation operation, Answered answered) {
  asio::io_context* loop = shards_[shard].loop;
  std::shared_ptr<DataplaneSession> session;
  {
    absl::MutexLock lock(&mutex_);
    session = session_;
  }
  if (session != nullptr) {
    session->program().Add(shard, std::move(operation), std::move(answered));
    return FlushAfterTurn(*loop, session, shard);
  }
  asio::post(*loop, [answered = std::move(answered)] { answered(NotConnected()); });
}

void DataplaneClient::Submit(v1::Operation operation, Answered answered) {
  std::shared_ptr<DataplaneSession> session;
  {
    absl::MutexLock lock(&mutex_);
    session = session_;
  }
  if (session == nullptr) {
    return answered(NotConnected());
  }
  session->program().Submit(std::move(operation), std::move(answered));
}

bool DataplaneClient::SendFrame(uint64_t handle, wire::Octets frame) {
  absl::MutexLock lock(&mutex_);
  if (session_ == nullptr || !session_->frames().Add(handle, frame)) {
    return false;
  }
  const size_t shard = ShardOf(handle);
  FlushAfterTurn(*shards_[shard].loop, session_, shard);
  return true;
}

void DataplaneClient::OnFrames(v1::FrameBatch batch) {
  std::vector<std::vector<v1::Frame>> by_shard(shards_.size());
  for (v1::Frame& frame : *batch.mutable_frames()) {
    by_shard[ShardOf(frame.handle())].push_back(std::move(frame));
  }
  for (size_t i = 0; i < shards_.size(); ++i) {
    if (!by_shard[i].empty()) {
      asio::post(*shards_[i].loop,
                 [sink = shards_[i].sink, frames = std::move(by_shard[i])]() mutable {
                   sink->OnFrames(std::move(frames));
                 });
    }
  }
}

void DataplaneClient::OnEvents(const v1::EventBatch& batch) {
  std::vector<std::vector<v1::Event>> by_shard(shards_.size());
  for (const v1::Event& event : batch.events()) {
    by_shard[ShardOf(event.handle())].push_back(event);
  }
  for (size_t i = 0; i < shards_.size(); ++i) {
    if (!by_shard[i].empty()) {
      asio::post(*shards_[i].loop,
                 [sink = shards_[i].sink, events = std::move(by_shard[i])]() mutable {
                   sink->OnEvents(std::move(events));
                 });
    }
  }
}

grpc::Status DataplaneClient::Trace(const grpc::ServerContext& context, uint64_t handle,
                                    uint32_t count,
                                    const std::function<bool(const v1::TracedPacket&)>& write) {
  std::shared_ptr<v1::Dataplane::Stub> stub;  // the session itself must end when it has to
  {
    absl::MutexLock lock(&mutex_);
    stub = session_ != nullptr ? session_->stub() : nullptr;
  }
  if (stub == nullptr) {
    return {grpc::StatusCode::UNAVAILABLE, "the data plane is not connected"};
  }
  v1::TraceRequest request;
  request.set_handle(handle);
  request.set_count(count);
  std::unique_ptr<grpc::ClientContext> own = grpc::ClientContext::FromServerContext(context);
  std::unique_ptr<grpc::ClientReader<v1::TracedPacket>> reader = stub->Trace(own.get(), request);
  v1::TracedPacket packet;
  while (reader->Read(&packet)) {
    if (!write(packet)) {
      own->TryCancel();
      break;
    }
  }
  return reader->Finish();
}

void DataplaneClient::TellShards(void (DataplaneSink::*told)()) {
  for (const Shard& shard : shards_) {
    asio::post(*shard.loop, [sink = shard.sink, told] { (sink->*told)(); });
  }
}

}  // namespace culvert
