// CallHooks runs the configured programs at the steps of calls.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/hooks/hook_facts.h"
#include "controlplane/hooks/hook_runner.h"
#include "controlplane/metrics/reading.h"

namespace culvert {

// Any thread; nothing here waits for a program.
class CallHooks {
 public:
  struct Settings {
    std::array<std::string, kHookKinds> programs;  // by HookKind; empty: none
    HookPlace place;
    HookRunner::Settings runner;
  };
  explicit CallHooks(const Settings& settings);

  // Reconfigure: programs that run or wait go on.
  void Reconfigure(const Settings& settings);

  // any: whether there is a program at all.
  [[nodiscard]] bool any() const;
  // Run asks for the program of `kind`, if there is one. `totals` with kDown.
  void Run(HookKind kind, const HookFacts& facts, const HookTotals* totals = nullptr);
  // Ask runs ip-pre-up; `done` is told whether the call may be: on any thread, once, or never when
  // the process stops.
  void Ask(const HookFacts& facts, std::function<void(bool approved)> done);
  // Stop: see HookRunner.
  void Stop(uint64_t grace_ms) { runner_.Stop(grace_ms); }

  void AddReadings(std::vector<Reading>& readings) const;

 private:
  [[nodiscard]] std::shared_ptr<const Settings> settings() const;
  // Queue is false when there is no program of that kind.
  bool Queue(HookKind kind, const HookFacts& facts, const HookTotals* totals,
             std::function<void(bool ok)> done);

  mutable absl::Mutex mutex_;
  std::shared_ptr<const Settings> settings_ ABSL_GUARDED_BY(mutex_);
  HookRunner runner_;
};

}  // namespace culvert
