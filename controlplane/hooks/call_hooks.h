// CallHooks runs the configured programs at the steps of calls.
#pragma once

#include <array>
#include <functional>
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

  [[nodiscard]] bool Has(HookKind kind) const { return !ProgramOf(kind).empty(); }
  // Run asks for the program of `kind`, if there is one. `totals` with kDown.
  void Run(HookKind kind, const HookFacts& facts, const HookTotals* totals = nullptr);
  // Ask runs ip-pre-up; `done` is told whether the call may be: on any thread, once, or never when
  // the process stops.
  void Ask(const HookFacts& facts, std::function<void(bool approved)> done);
  // Stop: see HookRunner.
  void Stop(uint64_t grace_ms) { runner_.Stop(grace_ms); }

  void AddReadings(std::vector<Reading>& readings) const;

 private:
  [[nodiscard]] const std::string& ProgramOf(HookKind kind) const {
    return settings_.programs[static_cast<size_t>(kind)];
  }
  [[nodiscard]] HookJob MakeJob(HookKind kind, const HookFacts& facts,
                                const HookTotals* totals) const;

  const Settings settings_;
  HookRunner runner_;
};

}  // namespace culvert
