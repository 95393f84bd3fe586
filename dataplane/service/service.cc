#include "dataplane/service/service.h"

#include <sys/random.h>

#include <chrono>

#include "dataplane/service/convert/convert.h"
#include "dataplane/service/programmer.h"

namespace culvert::dataplane {
namespace {

constexpr size_t kCallsPerListMessage = 256;  // with records, at most 300 KiB
constexpr size_t kCallsPerCountersMessage = 4096;
constexpr uint32_t kMinIntervalMs = 100;
constexpr auto kCancelCheck = std::chrono::milliseconds(100);

uint64_t NewInstance() {
  uint64_t instance = 0;
  while (instance == 0) {
    if (getrandom(&instance, sizeof(instance), 0) != sizeof(instance)) instance = 0;
  }
  return instance;
}

}  // namespace

Service::Service(Datapath* datapath, FramePump* frames, EventPump* events, ServiceSpec spec)
    : datapath_(datapath),
      frames_(frames),
      events_(events),
      spec_(std::move(spec)),
      instance_(NewInstance()) {}

void Service::Stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  stop_.notify_all();
}

grpc::Status Service::Describe(grpc::ServerContext* /*context*/,
                               const v1::DescribeRequest* /*request*/,
                               v1::DescribeResponse* response) {
  response->set_instance(instance_);
  response->set_version(spec_.version);
  response->set_workers(spec_.workers);
  response->set_max_local_addresses(spec_.max_local_addresses);
  for (const std::string& port : spec_.ports) response->add_ports(port);
  return grpc::Status::OK;
}

grpc::Status Service::Program(
    grpc::ServerContext* /*context*/,
    grpc::ServerReaderWriter<v1::ProgramResponse, v1::ProgramRequest>* stream) {
  Programmer programmer(datapath_, [this](uint64_t handle) {
    uint64_t traced = handle;
    traced_.compare_exchange_strong(traced, 0);
  });
  v1::ProgramRequest request;
  v1::ProgramResponse response;
  while (stream->Read(&request)) {
    programmer.Run(&request, &response);
    if (!stream->Write(response)) break;
  }
  return grpc::Status::OK;
}

grpc::Status Service::Frames(grpc::ServerContext* context,
                             grpc::ServerReaderWriter<v1::FrameBatch, v1::FrameBatch>* stream) {
  std::mutex write_mutex;  // the initial metadata goes before the pump's first frame
  std::unique_lock first(write_mutex);
  if (!frames_->Attach([stream, &write_mutex](const v1::FrameBatch& batch) {
        const std::lock_guard lock(write_mutex);
        return stream->Write(batch);
      })) {
    return {grpc::StatusCode::ALREADY_EXISTS,
            "another controller has the Frames stream; there can be one at a time"};
  }
  context->AddInitialMetadata("culvert-frames", "attached");
  stream->SendInitialMetadata();  // a controller does nothing to calls before it has this
  first.unlock();
  v1::FrameBatch batch;
  while (stream->Read(&batch)) {
    for (const v1::Frame& frame : batch.frames()) {
      const auto* data = reinterpret_cast<const uint8_t*>(frame.data().data());
      // Full or stale: the Datapath counts it.
      (void)datapath_->SendFrame(frame.handle(), {data, frame.data().size()});
    }
  }
  frames_->Detach();
  return grpc::Status::OK;
}

grpc::Status Service::List(grpc::ServerContext* /*context*/, const v1::ListRequest* /*request*/,
                           grpc::ServerWriter<v1::ListResponse>* writer) {
  v1::ListResponse response;
  for (const CallEntry& entry : datapath_->List()) {
    FromEntry(entry, response.add_calls());
    if (static_cast<size_t>(response.calls_size()) < kCallsPerListMessage) continue;
    if (!writer->Write(response)) return grpc::Status::CANCELLED;
    response.Clear();
  }
  if (response.calls_size() > 0) writer->Write(response);
  return grpc::Status::OK;
}

grpc::Status Service::Counters(grpc::ServerContext* context, const v1::CountersRequest* request,
                               grpc::ServerWriter<v1::CountersResponse>* writer) {
  const uint32_t interval_ms = request->interval_ms();
  if (interval_ms != 0 && interval_ms < kMinIntervalMs) {
    return {grpc::StatusCode::INVALID_ARGUMENT, "interval_ms: " + std::to_string(interval_ms) +
                                                    "; allowed: 0 (one round), 100 or more"};
  }
  CounterNews news;
  do {
    if (!WriteRound(request->calls() ? &news : nullptr, writer)) return grpc::Status::CANCELLED;
  } while (interval_ms != 0 && Wait(context, interval_ms));
  return grpc::Status::OK;
}

bool Service::WriteRound(CounterNews* news, grpc::ServerWriter<v1::CountersResponse>* writer) {
  const auto calls = datapath_->CallCounters();
  v1::CountersResponse response;
  for (size_t i = 0; news != nullptr && i < calls.size(); ++i) {
    if (!news->IsNews(calls[i].first, calls[i].second)) continue;
    FromTotals(calls[i].first, calls[i].second, response.add_calls());
    if (static_cast<size_t>(response.calls_size()) < kCallsPerCountersMessage) continue;
    if (!writer->Write(response)) return false;
    response.Clear();
  }
  if (news != nullptr) news->EndRound();
  uint32_t worker = 0;
  for (const WorkerTotals& totals : datapath_->WorkerCounters()) {
    FromWorker(worker++, totals, response.add_workers());
  }
  if (spec_.add_process_counters) spec_.add_process_counters(&response);
  response.set_num_calls(calls.size());
  response.set_end_of_round(true);
  return writer->Write(response);
}

bool Service::Wait(grpc::ServerContext* context, uint32_t interval_ms) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(interval_ms);
  std::unique_lock lock(mutex_);
  while (!stopping_ && !context->IsCancelled()) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= until) return true;
    stop_.wait_until(lock, std::min(until, now + kCancelCheck));
  }
  return false;
}

}  // namespace culvert::dataplane
