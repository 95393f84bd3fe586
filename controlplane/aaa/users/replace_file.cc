#include "controlplane/aaa/users/replace_file.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace culvert {

namespace {

absl::Status Failure(const char* what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(errno)));
}

absl::Status WriteAll(int fd, std::span<const uint8_t> contents) {
  while (!contents.empty()) {
    const ssize_t written = write(fd, contents.data(), contents.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return Failure("cannot be written");
    }
    contents = contents.subspan(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

// Fill makes a file like the one it is to replace.
absl::Status Fill(int fd, const struct stat& like, std::span<const uint8_t> contents) {
  struct stat own {};
  if (fstat(fd, &own) != 0 ||
      ((own.st_uid != like.st_uid || own.st_gid != like.st_gid) &&
       fchown(fd, like.st_uid, like.st_gid) != 0) ||
      fchmod(fd, like.st_mode & 07777) != 0) {
    return Failure("its owner and mode cannot be kept");
  }
  if (absl::Status status = WriteAll(fd, contents); !status.ok()) {
    return status;
  }
  return fsync(fd) == 0 ? absl::OkStatus() : Failure("cannot be written");
}

void SyncFolderOf(const std::string& path) {
  const int fd =
      open(path.substr(0, path.rfind('/') + 1).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) {
    fsync(fd);
    close(fd);
  }
}

}  // namespace

absl::StatusOr<FileStamp> ReplaceFile(const std::string& path, const FileStamp& expected,
                                      std::span<const uint8_t> contents) {
  char real[PATH_MAX];
  struct stat like {};
  if (realpath(path.c_str(), real) == nullptr || stat(real, &like) != 0) {
    return Failure("cannot be found");
  }
  std::string next = absl::StrCat(real, ".XXXXXX");
  const int fd = mkostemp(next.data(), O_CLOEXEC);
  if (fd < 0) {
    return Failure(
        "no file can be made beside it; the folder must be writable "
        "(systemd: ReadWritePaths=)");
  }
  absl::Status status = Fill(fd, like, contents);
  close(fd);
  FileStamp written = StampOf(next);
  written.path = path;
  if (status.ok() && StampOf(path) != expected) {
    status = absl::AbortedError("somebody else has changed it meanwhile");
  }
  if (status.ok() && rename(next.c_str(), real) != 0) {
    status = Failure("cannot be replaced");
  }
  if (!status.ok()) {
    unlink(next.c_str());
    return status;
  }
  SyncFolderOf(real);
  return written;
}

}  // namespace culvert
