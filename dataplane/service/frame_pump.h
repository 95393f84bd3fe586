// FramePump: the thread that takes punted PPP control frames from the Datapath and writes them to
// the one Frames stream there may be. Without a stream it throws them away: PPP repeats itself.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "culvert/dataplane/v1/dataplane.pb.h"
#include "dataplane/datapath.h"

namespace culvert::dataplane {

class FramePump {
 public:
  // Writes a batch to the stream; false: the stream is broken. It may block, which holds up the
  // pump, fills the Datapath's queue and so ends in counted drops.
  using Write = std::function<bool(const v1::FrameBatch&)>;

  explicit FramePump(Datapath* datapath) : datapath_(datapath) {}
  ~FramePump() { Stop(); }
  FramePump(const FramePump&) = delete;
  FramePump& operator=(const FramePump&) = delete;

  void Start();
  void Stop();

  // Attach gives the pump its stream; false when it has one. Detach takes it away and waits for a
  // write that is under way. Any thread.
  bool Attach(Write write);
  void Detach();

 private:
  void Run();
  size_t Round();
  void Send();

  Datapath* datapath_;
  std::vector<Datapath::PuntedFrame> frames_;  // the thread's
  v1::FrameBatch batch_;                       // the thread's
  std::mutex attach_mutex_;
  bool attached_ = false;  // guarded by attach_mutex_
  std::mutex write_mutex_;
  Write write_;  // guarded by write_mutex_
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace culvert::dataplane
