// How the control side's commands reach a worker: one at a time, between two bursts.
#include <rte_cycles.h>

#include <chrono>
#include <thread>

#include "dataplane/worker/program.h"
#include "dataplane/worker/worker.h"

namespace culvert::dataplane {

void Worker::Execute(Command* command, const std::atomic<bool>& runs) {
  // A worker answers within a round, or when it wakes. One that takes longer may want this core.
  const uint64_t patience_tsc = rte_rdtsc() + tsc_per_ms_;
  constexpr std::chrono::microseconds kNap{20};
  command_.store(command, std::memory_order_release);
  while (!command->done.load(std::memory_order_acquire)) {
    if (runs.load(std::memory_order_acquire)) {
      if (rte_rdtsc() < patience_tsc) {
        std::this_thread::yield();
      } else {
        std::this_thread::sleep_for(kNap);
      }
    } else {
      context_.now_ms = static_cast<uint32_t>(rte_rdtsc() / tsc_per_ms_);
      TakeCommand();
    }
  }
}

bool Worker::TakeCommand() {
  Command* command = command_.load(std::memory_order_acquire);
  if (command == nullptr) {
    return false;
  }
  RunWaiting();  // as long as their calls are there
  if (command->kind == Command::Kind::kTrace) {
    tracer_.Begin(command->trace_handle, command->trace_count);
  } else {
    Apply(command, &context_);
  }
  command_.store(nullptr, std::memory_order_relaxed);
  command->done.store(true, std::memory_order_release);
  return true;
}

}  // namespace culvert::dataplane
