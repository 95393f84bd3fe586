#include "controlplane/management/dataplane_service.h"

#include <fmt/format.h>

#include <optional>

#include "controlplane/logging/printable.h"
#include "controlplane/management/call_record.h"

namespace culvert {
namespace {

constexpr uint32_t kMaxTraced = 10000;

}  // namespace

grpc::Status DataplaneService::Get(grpc::ServerContext*, const management::v1::GetDataplaneRequest*,
                                   management::v1::GetDataplaneResponse* response) {
  std::optional<dataplane::v1::CountersResponse> round = round_->Get();
  if (!round) {
    return {grpc::StatusCode::UNAVAILABLE,
            "the data plane is not connected, or has not told its counters yet"};
  }
  response->mutable_workers()->Swap(round->mutable_workers());
  response->mutable_ports()->Swap(round->mutable_ports());
  response->set_num_calls(round->num_calls());
  response->set_mbufs_in_use(round->mbufs_in_use());
  response->set_mbufs_total(round->mbufs_total());
  return grpc::Status::OK;
}

grpc::Status DataplaneService::TraceCall(grpc::ServerContext* context,
                                         const management::v1::TraceCallRequest* request,
                                         grpc::ServerWriter<dataplane::v1::TracedPacket>* writer) {
  const std::optional<uint64_t> id = ParseCallId(request->id());
  if (!id) {
    return {grpc::StatusCode::INVALID_ARGUMENT,
            fmt::format("id: \"{}\" is not a call's id: 16 hex digits", Printable(request->id()))};
  }
  if (request->count() < 1 || request->count() > kMaxTraced) {
    return {grpc::StatusCode::INVALID_ARGUMENT,
            fmt::format("count: {} is out of range: 1 to {} are allowed", request->count(),
                        kMaxTraced)};
  }
  const uint64_t handle = directory_->HandleOf(*id);
  if (handle == 0) {
    return {grpc::StatusCode::NOT_FOUND, fmt::format("there is no call {}", FormatCallId(*id))};
  }
  return client_->Trace(
      *context, handle, request->count(),
      [writer](const dataplane::v1::TracedPacket& packet) { return writer->Write(packet); });
}

}  // namespace culvert
