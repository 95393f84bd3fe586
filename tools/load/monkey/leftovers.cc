#include "tools/load/monkey/leftovers.h"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace culvert::load {

namespace {

// PeerOf gives the process that listens on a Unix socket, 0: nobody does.
pid_t PeerOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ucred peer{};
  socklen_t len = sizeof peer;
  const bool found =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0;
  close(fd);
  return found ? peer.pid : 0;
}

uint64_t DescriptorsOf(pid_t process) {
  std::error_code error;
  const std::filesystem::directory_iterator folder(fmt::format("/proc/{}/fd", process), error);
  return error ? 0 : static_cast<uint64_t>(std::distance(begin(folder), end(folder)));
}

}  // namespace

Leftovers::Leftovers(const std::string& socket, unsigned timeout_ms)
    : socket_(socket), timeout_ms_(timeout_ms) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);  // of the list of calls
  const auto channel =
      grpc::CreateCustomChannel("unix:" + socket, grpc::InsecureChannelCredentials(), arguments);
  calls_ = management::v1::Calls::NewStub(channel);
  dataplane_ = management::v1::Dataplane::NewStub(channel);
}

Leftovers::State Leftovers::Look() const {
  State state;
  grpc::ClientContext calls_context, dataplane_context;
  management::v1::ListCallsResponse calls;
  management::v1::GetDataplaneResponse dataplane;
  const std::chrono::milliseconds timeout(timeout_ms_);
  calls_context.set_deadline(std::chrono::system_clock::now() + timeout);
  grpc::Status status = calls_->List(&calls_context, {}, &calls);
  if (status.ok()) {
    dataplane_context.set_deadline(std::chrono::system_clock::now() + timeout);
    status = dataplane_->Get(&dataplane_context, {}, &dataplane);
  }
  if (!status.ok()) {
    state.problem = fmt::format("{}: {}", socket_, status.error_message());
    return state;
  }
  state.calls = static_cast<uint64_t>(calls.calls_size());
  state.dataplane_calls = dataplane.num_calls();
  state.mbufs = dataplane.mbufs_in_use();
  if (const pid_t process = PeerOf(socket_); process != 0) {
    state.process = process;
    state.descriptors = DescriptorsOf(process);
  }
  return state;
}

}  // namespace culvert::load
