// `culvertctl drain`.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>

#include "tools/culvertctl/commands.h"
#include "tools/culvertctl/connection.h"
#include "tools/culvertctl/format.h"

namespace culvert::ctl {
namespace {

using management::v1::DrainStatus;

constexpr std::chrono::seconds kTimeout(10);

grpc::Status Ask(const Options& options, DrainStub* stub, DrainStatus* response) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kTimeout);
  if (options.status) return stub->Get(&context, {}, response);
  if (options.cancel) return stub->Cancel(&context, {}, response);
  management::v1::StartDrainRequest request;
  if (options.deadline_s) {
    request.mutable_deadline()->set_seconds(static_cast<int64_t>(std::ceil(*options.deadline_s)));
  }
  return stub->Start(&context, request, response);
}

std::string Text(const DrainStatus& status) {
  const std::string calls = std::to_string(status.calls()) + " calls are left";
  switch (status.state()) {
    case DrainStatus::OFF:
      return "new calls are taken";
    case DrainStatus::DRAINING:
      return "draining: " + calls +
             (status.has_deadline()
                  ? ", to be ended in " + std::to_string(status.deadline().seconds()) + " s"
                  : "");
    case DrainStatus::ENDING:
      return "draining, the deadline is over: " + calls;
    case DrainStatus::DRAINED:
      return "drained: no calls are left";
    default:
      return "unknown state";
  }
}

}  // namespace

int DrainGateway(const Options& options, DrainStub* stub) {
  DrainStatus response;
  const grpc::Status status = Ask(options, stub, &response);
  if (!status.ok()) return Report(status);
  if (options.json()) {
    std::printf("%s", ToJson(response, true).c_str());
  } else {
    std::printf("%s; %llu new calls refused so far\n", Text(response).c_str(),
                static_cast<unsigned long long>(response.refused()));
  }
  return kOk;
}

}  // namespace culvert::ctl
