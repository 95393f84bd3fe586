// HookProcess is one run of a program in a process group of its own. It inherits no descriptor
// but /dev/null and the pipe its output goes into, no signal mask and no ignored signal.
#pragma once

#include <absl/status/statusor.h>
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

namespace culvert {

// Of one thread.
class HookProcess {
 public:
  static constexpr size_t kMaxOutput = 1024;  // octets kept; what is more is read and dropped

  // Start runs `program` with `arguments` (without its own name) and nothing but `environment`
  // ("NAME=value"), in "/".
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<HookProcess>> Start(
      const std::string& program, const std::vector<std::string>& arguments,
      const std::vector<std::string>& environment);
  // Kills and reaps what still runs.
  ~HookProcess();
  HookProcess(const HookProcess&) = delete;
  HookProcess& operator=(const HookProcess&) = delete;

  // Readable when the process has ended, and when there is output; output_fd is -1 after its end.
  [[nodiscard]] int exit_fd() const { return exit_fd_; }
  [[nodiscard]] int output_fd() const { return output_fd_; }

  void ReadOutput();
  // Signal goes to the whole group. After it Reap() kills what is left of the group.
  void Signal(int number);
  // Reap takes the status of a process that has ended: its exit status, or 128 and the signal.
  int Reap();
  [[nodiscard]] const std::string& output() const { return output_; }

 private:
  HookProcess(pid_t pid, int exit_fd, int output_fd);

  pid_t pid_;  // 0: reaped
  int exit_fd_, output_fd_;
  bool signalled_ = false;
  std::string output_;
};

}  // namespace culvert
