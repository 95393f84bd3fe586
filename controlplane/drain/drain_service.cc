#include "controlplane/drain/drain_service.h"

namespace culvert {

using management::v1::DrainStatus;

namespace {

constexpr int64_t kMaxDeadlineS = 30 * 24 * 3600;

void SetDuration(uint64_t ms, google::protobuf::Duration* duration) {
  duration->set_seconds(static_cast<int64_t>(ms / 1000));
  duration->set_nanos(static_cast<int32_t>(ms % 1000) * 1'000'000);
}

}  // namespace

grpc::Status DrainService::Start(grpc::ServerContext*,
                                 const management::v1::StartDrainRequest* request,
                                 DrainStatus* response) {
  std::optional<uint64_t> deadline_ms;
  if (request->has_deadline()) {
    const google::protobuf::Duration& deadline = request->deadline();
    if (deadline.seconds() < 0 || deadline.nanos() < 0 || deadline.seconds() > kMaxDeadlineS) {
      return {grpc::StatusCode::INVALID_ARGUMENT,
              "deadline: is out of range: 0 to 2592000 seconds are allowed"};
    }
    deadline_ms = static_cast<uint64_t>(deadline.seconds()) * 1000 +
                  static_cast<uint64_t>(deadline.nanos()) / 1'000'000;
  }
  drain_->Start(deadline_ms);
  Tell(response);
  return grpc::Status::OK;
}

grpc::Status DrainService::Cancel(grpc::ServerContext*, const management::v1::CancelDrainRequest*,
                                  DrainStatus* response) {
  drain_->Cancel();
  Tell(response);
  return grpc::Status::OK;
}

grpc::Status DrainService::Get(grpc::ServerContext*, const management::v1::GetDrainRequest*,
                               DrainStatus* response) {
  Tell(response);
  return grpc::Status::OK;
}

void DrainService::Tell(DrainStatus* response) const {
  const Drain::Status status = drain_->status();
  response->set_calls(status.num_calls);
  response->set_refused(status.num_refused);
  if (!status.active) {
    response->set_state(DrainStatus::OFF);
    return;
  }
  response->set_state(status.num_calls == 0 ? DrainStatus::DRAINED
                      : status.ending       ? DrainStatus::ENDING
                                            : DrainStatus::DRAINING);
  SetDuration(status.since_ms, response->mutable_since());
  if (status.left_ms) {
    SetDuration(*status.left_ms, response->mutable_deadline());
  }
}

}  // namespace culvert
