#include "controlplane/management/socket_path.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace culvert {
namespace {

absl::Status Failed(const std::string& path, const std::string& remedy) {
  return absl::FailedPreconditionError(fmt::format("management.socket {}: {}", path, remedy));
}

// MakeFolder makes the last folder only: a longer path that is missing is more likely a mistake.
absl::Status MakeFolder(const std::string& path) {
  const std::string folder = path.substr(0, path.find_last_of('/'));
  if (folder.empty() || mkdir(folder.c_str(), 0755) == 0) return absl::OkStatus();
  if (errno != EEXIST) {
    return Failed(path, fmt::format("the folder {} cannot be made ({}): make it, or set another "
                                    "management.socket",
                                    folder, std::strerror(errno)));
  }
  if (access(folder.c_str(), W_OK | X_OK) == 0) return absl::OkStatus();
  return Failed(path, fmt::format("no permission to make a socket in {}: start as root or as the "
                                  "folder's owner, or set another management.socket",
                                  folder));
}

// Answers: 0 when a process accepts connections on `path`, else the error.
int TryConnect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size());  // fits: checked by the caller
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return errno;
  const int error =
      connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0
          ? 0
          : errno;
  close(descriptor);
  return error;
}

}  // namespace

absl::Status PrepareSocketPath(const std::string& path) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return Failed(path, fmt::format("is longer than the {} octets a socket's path may have",
                                    sizeof(sockaddr_un::sun_path) - 1));
  }
  if (absl::Status made = MakeFolder(path); !made.ok()) return made;
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return absl::OkStatus();
  if (!S_ISSOCK(status.st_mode)) {
    return Failed(path, "is there and is no socket: remove it, or set another management.socket");
  }
  const int error = TryConnect(path);
  // EAGAIN: its queue is full, so somebody is there.
  if (error == 0 || error == EAGAIN) {
    return Failed(path,
                  "another process answers there: stop it, or set another "
                  "management.socket");
  }
  if (error != ECONNREFUSED) {
    return Failed(path, fmt::format("cannot be tried ({}): start as root or as its owner",
                                    std::strerror(error)));
  }
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return Failed(path, fmt::format("is left over and cannot be removed ({}): remove it",
                                  std::strerror(errno)));
}

}  // namespace culvert
