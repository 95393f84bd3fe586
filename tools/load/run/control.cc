#include "tools/load/run/control.h"

#include <google/protobuf/util/json_util.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace culvert::load {

namespace {

bool IsListenedOn(const sockaddr_un& address) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool is = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return is;
}

}  // namespace

Control::~Control() {
  for (const Client& client : clients_) {
    close(client.fd);
  }
  if (fd_ >= 0) {
    close(fd_);
    unlink(path_.c_str());
  }
}

std::string Control::Open(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return "the path is too long";
  }
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (IsListenedOn(address)) {
    return "another process listens there";
  }
  struct stat there {};
  if (lstat(path.c_str(), &there) == 0) {
    if (!S_ISSOCK(there.st_mode)) {
      return "is no socket, and stays";
    }
    unlink(path.c_str());
  }
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd, 8) != 0) {
    const std::string wrong = std::strerror(errno);
    close(fd);
    return wrong;
  }
  path_ = path;
  fd_ = fd;
  return "";
}

void Control::Serve() {
  if (fd_ < 0) {
    return;
  }
  const int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) {
    clients_.push_back({.fd = fd, .line = {}});
    if (clients_.size() > kMaxClients) {
      close(clients_.front().fd);
      clients_.pop_front();
    }
  }
  clients_.remove_if([this](Client& client) {
    const bool is_gone = !ServeClient(client);
    if (is_gone) {
      close(client.fd);
    }
    return is_gone;
  });
}

bool Control::ServeClient(Client& client) {
  std::array<char, 1024> buffer;
  const ssize_t len = recv(client.fd, buffer.data(), buffer.size(), 0);
  if (len <= 0) {
    return len < 0 && (errno == EAGAIN || errno == EINTR);
  }
  client.line.append(buffer.data(), static_cast<size_t>(len));
  for (size_t end; (end = client.line.find('\n')) != std::string::npos;) {
    const std::string line = client.line.substr(0, end);
    client.line.erase(0, end + 1);
    if (!line.empty() && !Answer(client, line)) {
      return false;
    }
  }
  return client.line.size() <= kMaxLine;
}

bool Control::Answer(const Client& client, const std::string& line) {
  v1::ControlRequest request;
  v1::ControlReply reply;
  const auto status = google::protobuf::util::JsonStringToMessage(line, &request);
  if (status.ok()) {
    reply = handler_(request);
  } else {
    reply.set_error(status.ToString());
  }
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(reply, &text, options).ok()) {
    return false;
  }
  text += '\n';
  // A client that does not read its answers loses them, and the connection.
  return send(client.fd, text.data(), text.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(text.size());
}

}  // namespace culvert::load
