#include "dataplane/eal/log.h"

#include <absl/strings/str_join.h>
#include <absl/strings/strip.h>
#include <rte_log.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <cstdio>
#include <deque>
#include <mutex>

namespace culvert::dataplane {
namespace {

constexpr size_t kKeptErrors = 3;

struct Capture {
  std::mutex mutex;
  std::deque<std::string> errors;  // guarded by mutex
  std::atomic<bool> quiet{true};
};

// The stream lives as long as DPDK may log, which is until the process is gone.
Capture& TheCapture() {
  static auto* capture = new Capture;
  return *capture;
}

ssize_t OnWrite(void* /*cookie*/, const char* data, size_t size) {
  Capture& capture = TheCapture();
  std::string line(data, size);
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
  if (line.empty()) return static_cast<ssize_t>(size);

  const bool is_error = rte_log_cur_msg_loglevel() <= static_cast<int>(RTE_LOG_ERR);
  if (is_error && !capture.quiet.load(std::memory_order_relaxed)) {
    spdlog::warn("dpdk: {}", line);
  } else {
    spdlog::debug("dpdk: {}", line);
  }
  if (is_error) {
    const std::lock_guard lock(capture.mutex);
    capture.errors.push_back(line);
    if (capture.errors.size() > kKeptErrors) capture.errors.pop_front();
  }
  return static_cast<ssize_t>(size);
}

}  // namespace

void CaptureDpdkLog() {
  FILE* stream = fopencookie(
      nullptr, "w", {.read = nullptr, .write = OnWrite, .seek = nullptr, .close = nullptr});
  if (stream == nullptr) return;  // DPDK then logs to its default, standard error
  setvbuf(stream, nullptr, _IOLBF, BUFSIZ);
  rte_openlog_stream(stream);
}

std::string LastDpdkErrors() {
  Capture& capture = TheCapture();
  const std::lock_guard lock(capture.mutex);
  std::string text = absl::StrJoin(capture.errors, "; ");
  capture.errors.clear();
  return text;
}

void EndQuietStart() { TheCapture().quiet.store(false, std::memory_order_relaxed); }

}  // namespace culvert::dataplane
