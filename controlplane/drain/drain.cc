#include "controlplane/drain/drain.h"

#include <absl/time/time.h>
#include <spdlog/spdlog.h>

namespace culvert {

namespace {
constexpr absl::Duration kPeriod = absl::Milliseconds(500);
}

Drain::Drain(Clock clock, Calls calls, End end)
    : clock_(std::move(clock)), calls_(std::move(calls)), end_(std::move(end)) {}

Drain::~Drain() { Stop(); }

void Drain::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
  }
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Drain::Start(std::optional<uint64_t> deadline_ms) {
  absl::MutexLock lock(&mutex_);
  const uint64_t now_ms = clock_();
  if (!active()) {
    since_ms_ = now_ms;
  }
  deadline_ms_.reset();
  if (deadline_ms) {
    deadline_ms_ = now_ms + *deadline_ms;
  }
  active_.store(true, std::memory_order_relaxed);
  spdlog::info("draining: no new calls, {}",
               deadline_ms ? fmt::format("those left are ended in {} s", *deadline_ms / 1000)
                           : "the others go on");
}

void Drain::Cancel() {
  absl::MutexLock lock(&mutex_);
  deadline_ms_.reset();
  if (active_.exchange(false, std::memory_order_relaxed)) {
    spdlog::info("draining is over: new calls are taken");
  }
}

Drain::Status Drain::status() const {
  Status status;
  status.num_calls = calls_().size();
  status.num_refused = num_refused_.load(std::memory_order_relaxed);
  absl::MutexLock lock(&mutex_);
  status.active = active();
  if (!status.active) {
    return status;
  }
  const uint64_t now_ms = clock_();
  status.since_ms = now_ms - since_ms_;
  if (deadline_ms_) {
    status.ending = now_ms >= *deadline_ms_;
    status.left_ms = status.ending ? 0 : *deadline_ms_ - now_ms;
  }
  return status;
}

void Drain::Poll() {
  {
    absl::MutexLock lock(&mutex_);
    if (!deadline_ms_ || clock_() < *deadline_ms_) {
      return;
    }
  }
  if (const std::vector<uint64_t> calls = calls_(); !calls.empty()) {
    end_(calls);
  }
}

void Drain::Run() {
  thread_ = std::thread([this] {
    for (;;) {
      {
        absl::MutexLock lock(&mutex_);
        if (mutex_.AwaitWithTimeout(absl::Condition(&stop_), kPeriod)) {
          return;
        }
      }
      Poll();
    }
  });
}

}  // namespace culvert
