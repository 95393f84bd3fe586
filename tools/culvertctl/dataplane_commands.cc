// `culvertctl dataplane` and `culvertctl trace`.
#include <chrono>
#include <cstdio>
#include <string>

#include "tools/culvertctl/commands.h"
#include "tools/culvertctl/connection.h"
#include "tools/culvertctl/dataplane_view.h"
#include "tools/culvertctl/format.h"

namespace culvert::ctl {
namespace {

constexpr std::chrono::seconds kTimeout(10);

}  // namespace

int ShowDataplane(const Options& options, DataplaneStub* stub) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kTimeout);
  management::v1::GetDataplaneResponse response;
  const grpc::Status status = stub->Get(&context, {}, &response);
  if (!status.ok()) return Report(status);
  if (options.json()) {
    std::printf("%s", ToJson(response, true).c_str());
  } else {
    for (const std::string& line : DataplaneTables(response)) std::printf("%s\n", line.c_str());
  }
  return kOk;
}

int TraceCall(const Options& options, DataplaneStub* stub) {
  grpc::ClientContext context;
  management::v1::TraceCallRequest request;
  request.set_id(options.filter.id());
  request.set_count(options.count);
  const auto reader = stub->TraceCall(&context, request);
  dataplane::v1::TracedPacket packet;
  while (reader->Read(&packet)) {
    if (options.json()) {
      std::printf("%s\n", ToJson(packet, false).c_str());
    } else {
      for (const std::string& line : TraceLines(packet)) std::printf("%s\n", line.c_str());
    }
    if (std::fflush(stdout) != 0) {
      context.TryCancel();
      std::fprintf(stderr, "culvertctl: cannot write to standard output\n");
      return kFailed;
    }
  }
  return Report(reader->Finish());
}

}  // namespace culvert::ctl
