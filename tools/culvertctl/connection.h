// Connecting to culvert-controlplane's management API.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "culvert/management/v1/management.grpc.pb.h"

namespace culvert::ctl {

// Exit statuses of culvertctl.
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;  // the server's error, or nothing matched
inline constexpr int kUsage = 2;

// DefaultSocket is management.socket of the configuration file in its usual place, or of the
// embedded defaults.
[[nodiscard]] std::string DefaultSocket();

// Connect says on standard error why it cannot, with the remedy, and answers nullptr then.
[[nodiscard]] std::shared_ptr<grpc::Channel> Connect(const std::string& socket);

// Report writes an error of the server to standard error; the exit status.
int Report(const grpc::Status& status);

}  // namespace culvert::ctl
