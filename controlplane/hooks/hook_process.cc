#include "controlplane/hooks/hook_process.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace culvert {

namespace {

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) {
    pointers.push_back(const_cast<char*>(text.c_str()));  // as exec wants them; it writes nothing
  }
  pointers.push_back(nullptr);
  return pointers;
}

// Spawn gives an errno.
int Spawn(const std::string& program, const std::vector<std::string>& arguments,
          const std::vector<std::string>& environment, int output, pid_t* pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  // Libraries open descriptors that an exec would keep.
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawn_file_actions_addchdir_np(&actions, "/");

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);

  std::vector<std::string> words = {program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const int error = posix_spawn(pid, program.c_str(), &actions, &attributes, Pointers(words).data(),
                                Pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

}  // namespace

absl::StatusOr<std::unique_ptr<HookProcess>> HookProcess::Start(
    const std::string& program, const std::vector<std::string>& arguments,
    const std::vector<std::string>& environment) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    return absl::ResourceExhaustedError(absl::StrCat("no pipe: ", std::strerror(errno)));
  }
  // The program's end blocks, as programs expect of their output.
  fcntl(ends[1], F_SETFL, 0);
  pid_t pid = 0;
  const int error = Spawn(program, arguments, environment, ends[1], &pid);
  close(ends[1]);
  if (error != 0) {
    close(ends[0]);
    return absl::UnavailableError(absl::StrCat("cannot be run: ", std::strerror(error)));
  }
  // The C library declares pidfd_open() for C only.
  const int exit_fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  std::unique_ptr<HookProcess> process(new HookProcess(pid, exit_fd, ends[0]));
  if (exit_fd < 0) {  // no descriptor is left: the destructor ends it
    return absl::ResourceExhaustedError(absl::StrCat("cannot be watched: ", std::strerror(errno)));
  }
  return process;
}

HookProcess::HookProcess(pid_t pid, int exit_fd, int output_fd)
    : pid_(pid), exit_fd_(exit_fd), output_fd_(output_fd) {}

HookProcess::~HookProcess() {
  if (pid_ != 0) {
    Signal(SIGKILL);
    Reap();
  }
  for (const int fd : {exit_fd_, output_fd_}) {
    if (fd >= 0) {
      close(fd);
    }
  }
}

void HookProcess::ReadOutput() {
  std::array<char, 4096> buffer;
  for (int i = 0; i < 16 && output_fd_ >= 0; ++i) {  // and no more at once, however much it writes
    const ssize_t len = read(output_fd_, buffer.data(), buffer.size());
    if (len > 0) {
      const size_t room = kMaxOutput - output_.size();
      output_.append(buffer.data(), std::min(room, static_cast<size_t>(len)));
    } else if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
      return;
    } else {
      close(output_fd_);
      output_fd_ = -1;
    }
  }
}

void HookProcess::Signal(int number) {
  signalled_ = true;
  kill(-pid_, number);
}

int HookProcess::Reap() {
  if (signalled_) {
    kill(-pid_, SIGKILL);  // the group's number is ours until its first process is reaped
  }
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace culvert
