#include "controlplane/aaa/secret_file.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace culvert {

namespace {

constexpr off_t kMaxLen = 256 << 20;

absl::Status ReadAll(int fd, Secret& contents) {
  struct stat info {};
  if (fstat(fd, &info) != 0) {
    return absl::InternalError(absl::StrCat("cannot be examined: ", std::strerror(errno)));
  }
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError("is not a regular file");
  }
  if ((info.st_mode & 077) != 0) {
    return absl::PermissionDeniedError(absl::StrFormat(
        "holds secrets, but its mode %04o lets others in; run: chmod 600", info.st_mode & 07777));
  }
  if (info.st_size > kMaxLen) {
    return absl::InvalidArgumentError("is larger than 256 MiB");
  }
  std::vector<uint8_t> octets(static_cast<size_t>(info.st_size));
  size_t done = 0;
  absl::Status status;
  while (done < octets.size()) {
    ssize_t got = read(fd, octets.data() + done, octets.size() - done);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      status = got == 0
                   ? absl::AbortedError("was changed while it was read")
                   : absl::InternalError(absl::StrCat("cannot be read: ", std::strerror(errno)));
      break;
    }
    done += static_cast<size_t>(got);
  }
  if (status.ok()) {
    contents = Secret(octets);
  }
  OPENSSL_cleanse(octets.data(), octets.size());
  return status;
}

}  // namespace

absl::Status ReadSecretFile(const std::string& path, Secret& contents) {
  // O_NONBLOCK: a FIFO must not hang the start; it is refused as no regular file.
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    return absl::NotFoundError(absl::StrCat("cannot be opened: ", std::strerror(errno)));
  }
  absl::Status status = ReadAll(fd, contents);
  close(fd);
  return status;
}

}  // namespace culvert
