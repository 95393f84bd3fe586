// HookRunner runs programs, from a thread of its own, so that neither a call nor a shard ever
// waits for one: so many at once, each for a limited time, those of one call one after another in
// the order they were asked for.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "controlplane/hooks/hook_process.h"
#include "controlplane/logging/log_limit.h"

namespace culvert {

enum class HookKind : uint8_t { kPreUp, kUp, kDown, kChange };
constexpr size_t kHookKinds = 4;
// HookName: ip-pre-up, ip-up, ip-down, ip-change.
[[nodiscard]] const char* HookName(HookKind kind);

// HookCallId: 16 hex digits, as the management API shows a call's id.
[[nodiscard]] std::string HookCallId(uint64_t call);

struct HookJob {
  HookKind kind = HookKind::kUp;
  uint64_t call = 0;
  std::string program;
  std::vector<std::string> arguments, environment;
  // Told by the runner's thread, or by Run()'s when the job is left out: whether the program ran
  // and its exit status was 0. May be empty; is dropped untold when the runner goes.
  std::function<void(bool ok)> done;
};

class HookRunner {
 public:
  struct Settings {
    uint64_t timeout_ms = 10'000;    // until SIGTERM
    uint64_t kill_after_ms = 2'000;  // from SIGTERM to SIGKILL
    size_t max_running = 16, max_waiting = 10'000;
  };
  explicit HookRunner(const Settings& settings);
  ~HookRunner();
  HookRunner(const HookRunner&) = delete;
  HookRunner& operator=(const HookRunner&) = delete;

  // Reconfigure: programs that run keep their time limit.
  void Reconfigure(const Settings& settings);

  // Run queues a job and comes back at once. Any thread.
  void Run(HookJob job);
  // Stop takes no more jobs, lets those that are there go on for `grace_ms`, and kills the rest.
  void Stop(uint64_t grace_ms);

  // Result: kLeftOut for want of room, kNotRun when the program cannot be started.
  enum class Result : uint8_t { kOk, kFailed, kTimeout, kNotRun, kLeftOut };
  static constexpr size_t kResults = 5;
  struct Counters {
    std::array<std::array<uint64_t, kResults>, kHookKinds> runs = {};  // by kind and result
    uint64_t running = 0, waiting = 0;
  };
  [[nodiscard]] Counters counters() const;

 private:
  struct Running {
    HookJob job;
    std::unique_ptr<HookProcess> process;
    uint64_t deadline_ms = 0;  // of the next signal
    bool terminated = false;   // SIGTERM has been sent
  };
  void Loop();
  void Wake();
  bool TakeJobs();  // false: it is time to stop
  void StartReady();
  void Begin(HookJob job);
  void Wait();
  void Check(Running& running);
  void Finish(HookJob& job, Result result);
  void Log(const Running& running, int status) const;

  int wake_fd_;
  mutable absl::Mutex mutex_;
  Settings settings_ ABSL_GUARDED_BY(mutex_);
  std::deque<HookJob> incoming_ ABSL_GUARDED_BY(mutex_);
  uint64_t stop_at_ms_ ABSL_GUARDED_BY(mutex_) = 0;  // 0: goes on
  std::atomic<size_t> num_waiting_{0}, num_running_{0};
  std::array<std::array<std::atomic<uint64_t>, kResults>, kHookKinds> runs_{};

  // Of the thread.
  Settings now_;
  std::deque<HookJob> ready_;
  std::unordered_map<uint64_t, std::deque<HookJob>> behind_;  // by call: one is ready or runs
  std::vector<Running> running_;
  mutable LogLimit log_limit_{std::chrono::milliseconds(100), 50};
  std::thread thread_;
};

}  // namespace culvert
