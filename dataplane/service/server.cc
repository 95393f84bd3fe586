#include "dataplane/service/server.h"

#include <absl/strings/str_cat.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

namespace culvert::dataplane {
namespace {

constexpr int kMaxMessage = 16 << 20;
constexpr auto kShutdownGrace = std::chrono::milliseconds(300);

// Whether somebody accepts at the socket.
bool Answers(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int result = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  // EAGAIN: its queue of connections is full, so it lives.
  const bool answers = result == 0 || errno == EAGAIN;
  close(fd);
  return answers;
}

absl::Status MakeRoom(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  if (error) {
    return absl::FailedPreconditionError(
        absl::StrCat("dataplane.socket: cannot make the folder of ", path, ": ", error.message()));
  }
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0) return absl::OkStatus();
  if (!S_ISSOCK(found.st_mode)) {
    return absl::AlreadyExistsError(
        absl::StrCat("dataplane.socket: ", path, " exists and is no socket; remove it"));
  }
  if (Answers(path)) {
    return absl::AlreadyExistsError(absl::StrCat("dataplane.socket: another process answers at ",
                                                 path, "; stop it, or configure another socket"));
  }
  if (unlink(path.c_str()) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("dataplane.socket: cannot remove ", path));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Listen(const std::string& path,
                                                       grpc::Service* service) {
  absl::Status status = MakeRoom(path);
  if (!status.ok()) return status;
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + path, grpc::InsecureServerCredentials());
  builder.SetMaxReceiveMessageSize(kMaxMessage);
  builder.RegisterService(service);
  std::unique_ptr<Server> server(new Server(path));
  // The socket must never be there with a wider mode, not even for a moment.
  const mode_t old_mask = umask(0177);
  server->server_ = builder.BuildAndStart();
  umask(old_mask);
  if (!server->server_) {
    return absl::FailedPreconditionError(absl::StrCat("dataplane.socket: cannot listen at ", path));
  }
  return server;
}

Server::~Server() {
  if (!server_) return;
  server_->Shutdown(std::chrono::system_clock::now() + kShutdownGrace);
  server_->Wait();
  unlink(path_.c_str());
}

}  // namespace culvert::dataplane
