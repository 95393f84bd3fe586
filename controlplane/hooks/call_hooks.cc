#include "controlplane/hooks/call_hooks.h"

#include <algorithm>

namespace culvert {

CallHooks::CallHooks(const Settings& settings)
    : settings_(std::make_shared<const Settings>(settings)), runner_(settings.runner) {}

void CallHooks::Reconfigure(const Settings& settings) {
  runner_.Reconfigure(settings.runner);
  auto now = std::make_shared<const Settings>(settings);
  absl::MutexLock lock(&mutex_);
  settings_.swap(now);
}

std::shared_ptr<const CallHooks::Settings> CallHooks::settings() const {
  absl::MutexLock lock(&mutex_);
  return settings_;
}

bool CallHooks::any() const {
  const std::shared_ptr<const Settings> settings = this->settings();
  return std::any_of(settings->programs.begin(), settings->programs.end(),
                     [](const std::string& program) { return !program.empty(); });
}

bool CallHooks::Queue(HookKind kind, const HookFacts& facts, const HookTotals* totals,
                      std::function<void(bool ok)> done) {
  const std::shared_ptr<const Settings> settings = this->settings();
  const std::string& program = settings->programs[static_cast<size_t>(kind)];
  if (program.empty()) {
    return false;
  }
  runner_.Run({.kind = kind,
               .call = facts.call,
               .program = program,
               .arguments = HookArguments(settings->place, facts),
               .environment = HookEnvironment(settings->place, facts, totals),
               .done = std::move(done)});
  return true;
}

void CallHooks::Run(HookKind kind, const HookFacts& facts, const HookTotals* totals) {
  Queue(kind, facts, totals, nullptr);
}

void CallHooks::Ask(const HookFacts& facts, std::function<void(bool approved)> done) {
  if (!Queue(HookKind::kPreUp, facts, nullptr, done)) {
    done(true);
  }
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
