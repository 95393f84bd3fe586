#include "dataplane/service/frame_pump.h"

#include <chrono>

namespace culvert::dataplane {
namespace {

constexpr size_t kMaxFramesPerBatch = 256;
// A dial-in is some twenty frames back and forth: a pause must not be felt. After a second
// without a frame it may be longer.
constexpr auto kShortPause = std::chrono::microseconds(500);
constexpr auto kLongPause = std::chrono::milliseconds(2);
constexpr unsigned kShortPauses = 2000;

}  // namespace

void FramePump::Start() {
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "frames");
}

void FramePump::Stop() {
  stopping_.store(true, std::memory_order_relaxed);
  if (thread_.joinable()) thread_.join();
}

bool FramePump::Attach(Write write) {
  const std::lock_guard attach_lock(attach_mutex_);
  if (attached_) return false;
  attached_ = true;
  const std::lock_guard lock(write_mutex_);
  write_ = std::move(write);
  return true;
}

void FramePump::Detach() {
  {
    const std::lock_guard lock(write_mutex_);
    write_ = nullptr;
  }
  const std::lock_guard attach_lock(attach_mutex_);
  attached_ = false;
}

void FramePump::Run() {
  unsigned pauses = 0;
  while (!stopping_.load(std::memory_order_relaxed)) {
    if (Round() > 0) {
      pauses = 0;
    } else if (pauses < kShortPauses) {
      ++pauses;
      std::this_thread::sleep_for(kShortPause);
    } else {
      std::this_thread::sleep_for(kLongPause);
    }
  }
}

size_t FramePump::Round() {
  frames_.clear();
  const size_t n = datapath_->ReceiveFrames(&frames_, kMaxFramesPerBatch);
  if (n > 0) Send();
  return n;
}

void FramePump::Send() {
  const std::lock_guard lock(write_mutex_);
  if (!write_) return;
  batch_.Clear();
  for (const Datapath::PuntedFrame& punted : frames_) {
    v1::Frame* frame = batch_.add_frames();
    frame->set_handle(punted.handle);
    frame->set_data(punted.data.data(), punted.data.size());
  }
  // Broken: the stream's own thread finds out too, and detaches.
  if (!write_(batch_)) write_ = nullptr;
}

}  // namespace culvert::dataplane
