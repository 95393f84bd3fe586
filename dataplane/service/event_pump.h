// EventPump: the thread that takes the calls' events from the Datapath and writes them to the one
// Events stream there may be. Without a stream they stay where they are until a controller comes.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "culvert/dataplane/v1/dataplane.pb.h"
#include "dataplane/datapath.h"

namespace culvert::dataplane {

class EventPump {
 public:
  // Writes a batch to the stream; false: the stream is broken. It may block, which fills the
  // Datapath's queues: workers then report again later.
  using Write = std::function<bool(const v1::EventBatch&)>;

  // `datapath` outlives the pump.
  explicit EventPump(Datapath* datapath) : datapath_(datapath) {}
  ~EventPump() { Stop(); }
  EventPump(const EventPump&) = delete;
  EventPump& operator=(const EventPump&) = delete;

  void Start();
  void Stop();

  // Attach gives the pump its stream; false when it has one. Detach takes it away and waits for a
  // write that is under way. Any thread.
  bool Attach(Write write);
  void Detach();

 private:
  void Run();
  bool Round();  // whether something was written

  Datapath* datapath_;
  std::vector<CallEvent> events_;  // the thread's; what a broken stream left over comes first
  v1::EventBatch batch_;           // the thread's
  std::mutex attach_mutex_;
  bool attached_ = false;  // guarded by attach_mutex_
  std::mutex write_mutex_;
  Write write_;  // guarded by write_mutex_
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace culvert::dataplane
