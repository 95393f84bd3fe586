// Service's streams that tell what happens: Events and Trace.
#include <vector>

#include "dataplane/service/convert/convert.h"
#include "dataplane/service/convert/prefix_convert.h"
#include "dataplane/service/service.h"

namespace culvert::dataplane {
namespace {

constexpr uint32_t kMaxTraced = 10000;
constexpr uint32_t kTracePauseMs = 20;
constexpr uint32_t kIdleMs = 60000;

grpc::Status ToGrpc(const absl::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message())};
}

}  // namespace

grpc::Status Service::Events(grpc::ServerContext* context, const v1::EventsRequest* /*request*/,
                             grpc::ServerWriter<v1::EventBatch>* writer) {
  if (!events_->Attach([writer](const v1::EventBatch& batch) { return writer->Write(batch); })) {
    return {grpc::StatusCode::ALREADY_EXISTS,
            "another controller has the Events stream; there can be one at a time"};
  }
  while (Wait(context, kIdleMs)) {
  }
  events_->Detach();
  return grpc::Status::OK;
}

grpc::Status Service::Trace(grpc::ServerContext* context, const v1::TraceRequest* request,
                            grpc::ServerWriter<v1::TracedPacket>* writer) {
  if (request->count() < 1 || request->count() > kMaxTraced) {
    return ToGrpc(WrongField("count", request->count(), "1 to 10000"));
  }
  const std::unique_lock only(trace_mutex_, std::try_to_lock);
  if (!only.owns_lock()) {
    return {grpc::StatusCode::ALREADY_EXISTS, "a trace is under way; there can be one at a time"};
  }
  traced_ = request->handle();  // first: the call may be removed while the trace starts
  const absl::Status started = datapath_->StartTrace(request->handle(), request->count());
  if (!started.ok()) return ToGrpc(started);
  grpc::Status status = WriteTrace(context, *request, writer);
  traced_ = 0;
  const absl::Status stopped = datapath_->StartTrace(request->handle(), 0);
  return status.ok() ? ToGrpc(stopped) : status;
}

grpc::Status Service::WriteTrace(grpc::ServerContext* context, const v1::TraceRequest& request,
                                 grpc::ServerWriter<v1::TracedPacket>* writer) {
  std::vector<TracedPacket> packets;
  for (uint32_t written = 0; written < request.count();) {
    packets.clear();
    if (datapath_->TakeTrace(&packets, request.count() - written) == 0) {
      if (traced_ == 0) return {grpc::StatusCode::NOT_FOUND, "the call has ended"};
      if (!Wait(context, kTracePauseMs)) return grpc::Status::OK;
      continue;
    }
    for (const TracedPacket& packet : packets) {
      v1::TracedPacket message;
      FromTraced(packet, &message);
      if (!writer->Write(message)) return grpc::Status::CANCELLED;
    }
    written += static_cast<uint32_t>(packets.size());
  }
  return grpc::Status::OK;
}

}  // namespace culvert::dataplane
