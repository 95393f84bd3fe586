#include "controlplane/hooks/call_hooks.h"

namespace culvert {

CallHooks::CallHooks(const Settings& settings) : settings_(settings), runner_(settings.runner) {}

HookJob CallHooks::MakeJob(HookKind kind, const HookFacts& facts, const HookTotals* totals) const {
  return {.kind = kind,
          .call = facts.call,
          .program = ProgramOf(kind),
          .arguments = HookArguments(settings_.place, facts),
          .environment = HookEnvironment(settings_.place, facts, totals),
          .done = nullptr};
}

void CallHooks::Run(HookKind kind, const HookFacts& facts, const HookTotals* totals) {
  if (Has(kind)) {
    runner_.Run(MakeJob(kind, facts, totals));
  }
}

void CallHooks::Ask(const HookFacts& facts, std::function<void(bool approved)> done) {
  if (!Has(HookKind::kPreUp)) {
    return done(true);
  }
  HookJob job = MakeJob(HookKind::kPreUp, facts, nullptr);
  job.done = std::move(done);
  runner_.Run(std::move(job));
}

void CallHooks::AddReadings(std::vector<Reading>& readings) const {
  constexpr std::array<const char*, HookRunner::kResults> kResults = {"ok", "failed", "timeout",
                                                                      "not-run", "left-out"};
  const HookRunner::Counters counters = runner_.counters();
  for (size_t kind = 0; kind < kHookKinds; ++kind) {
    for (size_t result = 0; result < kResults.size(); ++result) {
      readings.push_back({.name = "hooks_total",
                          .help = "Programs run for calls, by hook and result",
                          .value = counters.runs[kind][result],
                          .labels = {{"hook", HookName(static_cast<HookKind>(kind))},
                                     {"result", kResults[result]}}});
    }
  }
  readings.push_back({.name = "hooks_running",
                      .help = "Programs that run now",
                      .counter = false,
                      .value = counters.running});
  readings.push_back({.name = "hooks_waiting",
                      .help = "Programs that wait for their turn",
                      .counter = false,
                      .value = counters.waiting});
}

}  // namespace culvert
