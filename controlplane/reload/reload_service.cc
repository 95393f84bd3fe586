#include "controlplane/reload/reload_service.h"

namespace culvert {

grpc::Status ReloadService::Reload(grpc::ServerContext*, const management::v1::ReloadRequest*,
                                   management::v1::ReloadResponse* response) {
  const absl::StatusOr<culvert::Reload::Outcome> outcome = reload_->Run();
  if (!outcome.ok()) {
    return {grpc::StatusCode::INVALID_ARGUMENT, std::string(outcome.status().message())};
  }
  response->mutable_applied()->Assign(outcome->applied.begin(), outcome->applied.end());
  response->mutable_needs_restart()->Assign(outcome->needs_restart.begin(),
                                            outcome->needs_restart.end());
  return grpc::Status::OK;
}

}  // namespace culvert
