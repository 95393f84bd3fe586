#include "tools/culvertctl/commands.h"

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "tools/culvertctl/call_view.h"
#include "tools/culvertctl/connection.h"
#include "tools/culvertctl/format.h"

namespace culvert::ctl {
namespace {

constexpr std::chrono::seconds kTimeout(10);
// A million calls take a while to be listed.
constexpr std::chrono::seconds kListTimeout(120);

void SetDeadline(std::chrono::seconds timeout, grpc::ClientContext* context) {
  context->set_deadline(std::chrono::system_clock::now() + timeout);
}

void Print(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) std::printf("%s\n", line.c_str());
}

}  // namespace

int ListCalls(const Options& options, CallsStub* stub) {
  grpc::ClientContext context;
  SetDeadline(kListTimeout, &context);
  management::v1::ListCallsRequest request;
  management::v1::ListCallsResponse response;
  *request.mutable_filter() = options.filter;
  const grpc::Status status = stub->List(&context, request, &response);
  if (!status.ok()) return Report(status);
  if (options.json()) {
    std::printf("[");
    const char* separator = "\n";
    for (const auto& call : response.calls()) {
      std::printf("%s%s", separator, ToJson(call, false).c_str());
      separator = ",\n";
    }
    std::printf("%s]\n", response.calls().empty() ? "" : "\n");
  } else {
    Print(CallTable({response.calls().begin(), response.calls().end()}));
  }
  if (!response.calls().empty() || !options.has_filter()) return kOk;
  std::fprintf(stderr, "culvertctl: no call matches\n");
  return kFailed;
}

int GetCall(const Options& options, CallsStub* stub) {
  grpc::ClientContext context;
  SetDeadline(kTimeout, &context);
  management::v1::GetCallRequest request;
  management::v1::Call call;
  request.set_id(options.filter.id());
  const grpc::Status status = stub->Get(&context, request, &call);
  if (!status.ok()) return Report(status);
  if (options.json()) {
    std::printf("%s", ToJson(call, true).c_str());
  } else {
    Print(CallDetails(call));
  }
  return kOk;
}

int TerminateCalls(const Options& options, CallsStub* stub) {
  grpc::ClientContext context;
  SetDeadline(kTimeout, &context);
  management::v1::TerminateCallsRequest request;
  management::v1::TerminateCallsResponse response;
  *request.mutable_filter() = options.filter;
  request.set_all(options.all);
  const grpc::Status status = stub->Terminate(&context, request, &response);
  if (!status.ok()) return Report(status);
  if (options.json()) {
    std::printf("%s", ToJson(response, true).c_str());
  } else {
    for (const std::string& id : response.ids()) std::printf("%s is asked to end\n", id.c_str());
    if (response.ids().empty()) std::printf("there are no calls\n");
  }
  return kOk;
}

int SetRate(const Options& options, CallsStub* stub) {
  grpc::ClientContext context;
  SetDeadline(kTimeout, &context);
  management::v1::SetRateRequest request;
  management::v1::SetRateResponse response;
  request.set_id(options.filter.id());
  if (options.up_bps) request.set_upstream_bps(*options.up_bps);
  if (options.down_bps) request.set_downstream_bps(*options.down_bps);
  const grpc::Status status = stub->SetRate(&context, request, &response);
  if (!status.ok()) return Report(status);
  if (options.json()) {
    std::printf("%s", ToJson(response, true).c_str());
    return kOk;
  }
  const auto text = [](uint64_t bps) { return bps == 0 ? "no limit" : FormatRate(bps); };
  std::printf("%s: upstream %s, downstream %s\n", request.id().c_str(),
              text(response.upstream_bps()).c_str(), text(response.downstream_bps()).c_str());
  return kOk;
}

}  // namespace culvert::ctl
