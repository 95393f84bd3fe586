#include "controlplane/hooks/hook_runner.h"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <utility>

#include "controlplane/logging/printable.h"

namespace culvert {

namespace {

constexpr uint64_t kNever = UINT64_MAX;

uint64_t NowMs() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

}  // namespace

const char* HookName(HookKind kind) {
  constexpr std::array<const char*, kHookKinds> kNames = {"ip-pre-up", "ip-up", "ip-down",
                                                          "ip-change"};
  return kNames[static_cast<size_t>(kind)];
}

std::string HookCallId(uint64_t call) { return fmt::format("{:016x}", call); }

HookRunner::HookRunner(const Settings& settings)
    : wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), settings_(settings), now_(settings) {
  thread_ = std::thread([this] { Loop(); });
}

HookRunner::~HookRunner() {
  Stop(0);
  close(wake_fd_);
}

void HookRunner::Reconfigure(const Settings& settings) {
  absl::MutexLock lock(&mutex_);
  settings_ = settings;
  Wake();
}

void HookRunner::Run(HookJob job) {
  size_t max_waiting = 0;
  {
    absl::MutexLock lock(&mutex_);
    max_waiting = settings_.max_waiting;
    // What tells the end of a call has more room: a program that was run for its beginning waits
    // for it.
    const size_t room = max_waiting * (job.kind == HookKind::kDown ? 2 : 1);
    if (stop_at_ms_ == 0 && num_waiting_.load(std::memory_order_relaxed) < room) {
      num_waiting_.fetch_add(1, std::memory_order_relaxed);
      incoming_.push_back(std::move(job));
      Wake();
      return;
    }
  }
  Finish(job, Result::kLeftOut);
  if (std::optional<uint64_t> left_out = log_limit_.Admit()) {
    spdlog::error(
        "{} is not run for call={}: {} programs wait already ({} more since the last "
        "such line)",
        HookName(job.kind), HookCallId(job.call), max_waiting, *left_out);
  }
}

void HookRunner::Wake() {
  const uint64_t one = 1;
  // It fails only when it is readable already.
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof one);
}

void HookRunner::Stop(uint64_t grace_ms) {
  {
    absl::MutexLock lock(&mutex_);
    stop_at_ms_ = NowMs() + grace_ms;
    Wake();
  }
  if (thread_.joinable()) {
    thread_.join();
  }
}

void HookRunner::Loop() {
  while (TakeJobs()) {
    StartReady();
    Wait();
  }
  ready_.clear();
  behind_.clear();
  running_.clear();  // kills them
}

bool HookRunner::TakeJobs() {
  std::deque<HookJob> jobs;
  uint64_t stop_at_ms = 0;
  {
    absl::MutexLock lock(&mutex_);
    jobs.swap(incoming_);
    stop_at_ms = stop_at_ms_;
    now_ = settings_;
  }
  for (HookJob& job : jobs) {
    const auto [it, first] = behind_.try_emplace(job.call);
    (first ? ready_ : it->second).push_back(std::move(job));
  }
  const bool idle = ready_.empty() && running_.empty();
  return stop_at_ms == 0 || (!idle && NowMs() < stop_at_ms);
}

void HookRunner::StartReady() {
  while (!ready_.empty() && running_.size() < now_.max_running) {
    HookJob job = std::move(ready_.front());
    ready_.pop_front();
    num_waiting_.fetch_sub(1, std::memory_order_relaxed);
    Begin(std::move(job));
  }
}

void HookRunner::Begin(HookJob job) {
  absl::StatusOr<std::unique_ptr<HookProcess>> process =
      HookProcess::Start(job.program, job.arguments, job.environment);
  if (process.ok()) {
    running_.push_back({.job = std::move(job),
                        .process = std::move(*process),
                        .deadline_ms = NowMs() + now_.timeout_ms});
    num_running_.store(running_.size(), std::memory_order_relaxed);
    return;
  }
  if (std::optional<uint64_t> left_out = log_limit_.Admit()) {
    spdlog::error("{} {} {} ({} more since the last such line)", HookName(job.kind), job.program,
                  std::string(process.status().message()), *left_out);
  }
  Finish(job, Result::kNotRun);
}

void HookRunner::Wait() {
  std::vector<pollfd> fds = {{.fd = wake_fd_, .events = POLLIN, .revents = 0}};
  uint64_t next_ms = kNever;
  {
    absl::MutexLock lock(&mutex_);
    next_ms = stop_at_ms_ == 0 ? kNever : stop_at_ms_;
  }
  for (const Running& running : running_) {
    fds.push_back({.fd = running.process->exit_fd(), .events = POLLIN, .revents = 0});
    fds.push_back({.fd = running.process->output_fd(), .events = POLLIN, .revents = 0});
    next_ms = std::min(next_ms, running.deadline_ms);
  }
  const uint64_t now_ms = NowMs();
  const uint64_t wait_ms = next_ms == kNever ? kNever : next_ms - std::min(next_ms, now_ms);
  if (!(ready_.size() > 0 && running_.size() < now_.max_running)) {
    poll(fds.data(), fds.size(), wait_ms == kNever ? -1 : static_cast<int>(wait_ms) + 1);
  }
  uint64_t ignored = 0;
  [[maybe_unused]] const ssize_t got = read(wake_fd_, &ignored, sizeof ignored);
  for (size_t i = running_.size(); i > 0; --i) {
    Running& running = running_[i - 1];
    if (fds[2 * i].revents != 0) {
      running.process->ReadOutput();
    }
    if (fds[2 * i - 1].revents == 0) {
      Check(running);
      continue;
    }
    running.process->ReadOutput();
    const int status = running.process->Reap();
    Log(running, status);
    HookJob job = std::move(running.job);
    const Result result = running.terminated ? Result::kTimeout
                          : status == 0      ? Result::kOk
                                             : Result::kFailed;
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i - 1));
    num_running_.store(running_.size(), std::memory_order_relaxed);
    Finish(job, result);
  }
}

void HookRunner::Check(Running& running) {
  if (NowMs() < running.deadline_ms) {
    return;
  }
  running.process->Signal(running.terminated ? SIGKILL : SIGTERM);
  running.deadline_ms = running.terminated ? kNever : NowMs() + now_.kill_after_ms;
  running.terminated = true;
}

// Finish lets the next job of the call go on, but for one that was left out: it has no place.
void HookRunner::Finish(HookJob& job, Result result) {
  runs_[static_cast<size_t>(job.kind)][static_cast<size_t>(result)].fetch_add(
      1, std::memory_order_relaxed);
  if (job.done) {
    std::exchange(job.done, nullptr)(result == Result::kOk);
  }
  if (result == Result::kLeftOut) {
    return;
  }
  auto it = behind_.find(job.call);
  if (it->second.empty()) {
    behind_.erase(it);
  } else {
    ready_.push_back(std::move(it->second.front()));
    it->second.pop_front();
  }
}

void HookRunner::Log(const Running& running, int status) const {
  const std::string& output = running.process->output();
  if (status == 0 && output.empty() && !running.terminated) {
    return;
  }
  if (std::optional<uint64_t> left_out = log_limit_.Admit()) {
    spdlog::log(status == 0 ? spdlog::level::info : spdlog::level::warn,
                "{}: call={} status={}{} output=\"{}\" ({} more since the last such line)",
                HookName(running.job.kind), HookCallId(running.job.call), status,
                running.terminated ? " (time limit)" : "", Printable(output), *left_out);
  }
}

HookRunner::Counters HookRunner::counters() const {
  Counters counters;
  for (size_t kind = 0; kind < kHookKinds; ++kind) {
    for (size_t result = 0; result < kResults; ++result) {
      counters.runs[kind][result] = runs_[kind][result].load(std::memory_order_relaxed);
    }
  }
  counters.running = num_running_.load(std::memory_order_relaxed);
  counters.waiting = num_waiting_.load(std::memory_order_relaxed);
  return counters;
}

}  // namespace culvert
