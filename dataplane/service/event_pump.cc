#include "dataplane/service/event_pump.h"

#include <pthread.h>

#include <chrono>

#include "dataplane/service/convert/convert.h"

namespace culvert::dataplane {
namespace {

constexpr size_t kMaxEventsPerBatch = 1024;
constexpr auto kPause = std::chrono::milliseconds(10);

}  // namespace

void EventPump::Start() {
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "events");
}

void EventPump::Stop() {
  stopping_.store(true, std::memory_order_relaxed);
  if (thread_.joinable()) thread_.join();
}

bool EventPump::Attach(Write write) {
  const std::lock_guard attach_lock(attach_mutex_);
  if (attached_) return false;
  attached_ = true;
  const std::lock_guard lock(write_mutex_);
  write_ = std::move(write);
  return true;
}

void EventPump::Detach() {
  {
    const std::lock_guard lock(write_mutex_);
    write_ = nullptr;
  }
  const std::lock_guard attach_lock(attach_mutex_);
  attached_ = false;
}

void EventPump::Run() {
  while (!stopping_.load(std::memory_order_relaxed)) {
    if (!Round()) std::this_thread::sleep_for(kPause);
  }
}

bool EventPump::Round() {
  const std::lock_guard lock(write_mutex_);
  if (!write_) return false;
  if (events_.size() < kMaxEventsPerBatch) {
    datapath_->TakeEvents(&events_, kMaxEventsPerBatch - events_.size());
  }
  if (events_.empty()) return false;
  batch_.Clear();
  for (const CallEvent& event : events_) FromEvent(event, batch_.add_events());
  if (!write_(batch_)) {
    // Broken: the stream's own thread finds out too, and detaches. The next stream gets them.
    write_ = nullptr;
    return false;
  }
  events_.clear();
  return true;
}

}  // namespace culvert::dataplane
