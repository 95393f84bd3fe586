#include "tools/culvertctl/connection.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "proto/config/load.h"

namespace culvert::ctl {
namespace {

// TryConnect answers 0 or an errno: gRPC would only say that it could not.
int TryConnect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return ENAMETOOLONG;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return errno;
  const int error =
      connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0
          ? 0
          : errno;
  close(descriptor);
  return error;
}

}  // namespace

std::string DefaultSocket() {
  const config::Loaded loaded = config::Load(config::DefaultPath(), config::Process::kControlplane);
  if (loaded.ok()) return loaded.config.management().socket();
  return config::Load("", config::Process::kControlplane).config.management().socket();
}

std::shared_ptr<grpc::Channel> Connect(const std::string& socket) {
  if (const int error = TryConnect(socket); error != 0) {
    const char* remedy = error == EACCES ? "run as root, or as a member of the socket's group"
                                         : "is culvert-controlplane running? Start it, or name its "
                                           "management.socket with --socket";
    std::fprintf(stderr, "culvertctl: %s: %s: %s\n", socket.c_str(), std::strerror(error), remedy);
    return nullptr;
  }
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);  // a list may hold a million calls
  return grpc::CreateCustomChannel("unix:" + socket, grpc::InsecureChannelCredentials(), arguments);
}

int Report(const grpc::Status& status) {
  if (status.ok()) return kOk;
  std::fprintf(stderr, "culvertctl: %s\n", status.error_message().c_str());
  return status.error_code() == grpc::StatusCode::INVALID_ARGUMENT ? kUsage : kFailed;
}

}  // namespace culvert::ctl
