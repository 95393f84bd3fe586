// How the control side's commands reach a worker: some at a time, between two bursts.
#include <rte_cycles.h>

#include <chrono>
#include <thread>

#include "dataplane/worker/execute.h"
#include "dataplane/worker/program.h"
#include "dataplane/worker/worker.h"

namespace culvert::dataplane {

void Execute(std::span<Command* const> commands, std::span<const std::unique_ptr<Worker>> workers,
             const std::atomic<bool>& runs) {
  for (unsigned i = 0; i < workers.size(); ++i) {
    Command* first = nullptr;
    Command** end = &first;
    for (Command* command : commands) {
      if (command->worker == i) {
        *end = command;
        end = &command->next;
      }
    }
    *end = nullptr;
    if (first != nullptr) {
      workers[i]->Begin(first);
    }
  }
  for (const auto& worker : workers) {
    worker->Finish(runs);
  }
}

void Worker::Begin(Command* first) { command_.store(first, std::memory_order_release); }

void Worker::Finish(const std::atomic<bool>& runs) {
  // A worker answers within some rounds, or when it wakes. One that takes longer may want this
  // core.
  const uint64_t patience_tsc = rte_rdtsc() + tsc_per_ms_ / 20;
  constexpr std::chrono::microseconds kNap{20};
  while (command_.load(std::memory_order_acquire) != nullptr) {
    if (runs.load(std::memory_order_acquire)) {
      if (rte_rdtsc() < patience_tsc) {
        std::this_thread::yield();
      } else {
        std::this_thread::sleep_for(kNap);
      }
    } else {
      context_.now_ms = static_cast<uint32_t>(rte_rdtsc() / tsc_per_ms_);
      TakeCommands();
    }
  }
}

// TakeCommands carries out a round's share, so that packets do not wait.
bool Worker::TakeCommands() {
  constexpr unsigned kMaxCommands = 8;
  Command* command = command_.load(std::memory_order_acquire);
  if (command == nullptr) {
    return false;
  }
  RunWaiting();  // as long as their calls are there
  for (unsigned i = 0; i < kMaxCommands && command != nullptr; ++i) {
    if (command->kind == Command::Kind::kTrace) {
      tracer_.Begin(command->trace_handle, command->trace_count);
    } else {
      Apply(command, &context_);
    }
    command = command->next;
  }
  command_.store(command, std::memory_order_release);
  return true;
}

}  // namespace culvert::dataplane
