// Drain takes the gateway out of service: no new calls, and the others go on until they end, or
// until a deadline. Any thread.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

namespace culvert {

class Drain {
 public:
  using Clock = std::function<uint64_t()>;  // milliseconds, steady
  // Calls gives the ids of all live calls; End asks calls to end in good order.
  using Calls = std::function<std::vector<uint64_t>()>;
  using End = std::function<void(const std::vector<uint64_t>& ids)>;
  Drain(Clock clock, Calls calls, End end);
  ~Drain();
  // Stop ends the thread; Run() may not follow.
  void Stop();
  Drain(const Drain&) = delete;
  Drain& operator=(const Drain&) = delete;

  // active: no new calls.
  [[nodiscard]] bool active() const { return active_.load(std::memory_order_relaxed); }
  void OnRefused() { num_refused_.fetch_add(1, std::memory_order_relaxed); }

  // Start begins, or replaces the deadline; `deadline_ms` is from now.
  void Start(std::optional<uint64_t> deadline_ms);
  void Cancel();

  struct Status {
    bool active = false;
    bool ending = false;  // the deadline is over
    uint64_t num_calls = 0;
    uint64_t since_ms = 0;
    std::optional<uint64_t> left_ms;  // until the deadline; absent: there is none
    uint64_t num_refused = 0;
  };
  [[nodiscard]] Status status() const;

  // Run polls by a thread of its own. Poll ends what is left after the deadline, again and again:
  // a call may just have been coming up.
  void Run();
  void Poll();

 private:
  const Clock clock_;
  const Calls calls_;
  const End end_;
  std::atomic<bool> active_{false};
  std::atomic<uint64_t> num_refused_{0};
  mutable absl::Mutex mutex_;
  uint64_t since_ms_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<uint64_t> deadline_ms_ ABSL_GUARDED_BY(mutex_);  // of the clock
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace culvert
