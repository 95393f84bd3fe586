// `culvertctl reload`.
#include <chrono>
#include <cstdio>

#include "tools/culvertctl/commands.h"
#include "tools/culvertctl/connection.h"
#include "tools/culvertctl/format.h"

namespace culvert::ctl {
namespace {

// A million users take some seconds to read.
constexpr std::chrono::seconds kTimeout(120);

void Print(const char* title, const google::protobuf::RepeatedPtrField<std::string>& keys) {
  std::printf("%s\n", title);
  for (const std::string& key : keys) std::printf("  %s\n", key.c_str());
}

}  // namespace

int ReloadConfiguration(const Options& options, ConfigurationStub* stub) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kTimeout);
  management::v1::ReloadResponse response;
  const grpc::Status status = stub->Reload(&context, {}, &response);
  if (!status.ok()) return Report(status);
  if (options.json()) {
    std::printf("%s", ToJson(response, true).c_str());
    return kOk;
  }
  if (response.applied().empty()) {
    std::printf("nothing to apply\n");
  } else {
    Print("applied:", response.applied());
  }
  if (!response.needs_restart().empty()) Print("needs a restart:", response.needs_restart());
  return kOk;
}

}  // namespace culvert::ctl
