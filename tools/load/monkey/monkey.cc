// culvert-load monkey: a soak that misbehaves, by a seed.
#include "tools/load/monkey/monkey.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <numeric>
#include <optional>
#include <thread>
#include <tuple>

#include "tools/load/monkey/leftovers.h"
#include "tools/load/run/plan_flags.h"
#include "tools/load/run/report_files.h"
#include "tools/load/run/runner.h"
#include "tools/load/subcommand.h"

namespace culvert::load {

namespace {

constexpr char kCommand[] = "monkey";
constexpr unsigned kFaultPercent = 1;
constexpr int kBackSeconds = 30;  // until all has to be back: timers of the server run out
constexpr const char* kNames[Fleet::kNumTricks] = {"hang-up",       "lcp-terminate", "reset",
                                                   "close",         "half-message",  "garbage",
                                                   "strange-frame", "silence"};

}  // namespace

Monkey::Monkey(uint64_t seed, double tricks_per_second)
    : random_(seed), tricks_per_second_(tricks_per_second), next_(Next()) {}

Monkey::Step Monkey::Next() {
  // Evenly spread, from nothing to twice the mean. The library's distributions are not the same
  // everywhere; this is.
  const double share = static_cast<double>(random_() >> 11) / static_cast<double>(1ULL << 53);
  after_us_ += static_cast<uint64_t>(2e6 * share / tricks_per_second_);
  Step step;
  step.after_us = after_us_;
  step.trick = static_cast<Fleet::Trick>(random_() % Fleet::kNumTricks);
  step.call = static_cast<uint32_t>(random_());
  step.random = random_();
  return step;
}

void Monkey::Play(Fleet* fleet) {
  const uint64_t now_us = Fleet::NowUs();
  begun_us_ = begun_us_ == 0 ? now_us : begun_us_;
  while (next_.after_us <= now_us - begun_us_) {
    if (fleet->Play(next_.trick, next_.call, next_.random)) {
      ++played_[static_cast<size_t>(next_.trick)];
    }
    next_ = Next();
  }
}

uint64_t Monkey::num_played() const {
  return std::accumulate(played_.begin(), played_.end(), uint64_t{0});
}

std::string Monkey::Summary() const {
  std::string text = fmt::format("{} tricks:", num_played());
  for (unsigned i = 0; i < Fleet::kNumTricks; ++i) {
    text += fmt::format(" {} {}", kNames[i], played_[i]);
  }
  return text;
}

namespace {

struct Options {
  std::shared_ptr<PlanOptions> plan = std::make_shared<PlanOptions>();
  uint64_t seed = 1;
  double tricks = 20;
  std::string management;
};

// IsBack: nothing is left, beyond what there was. A server that was started anew has died.
bool IsBack(const Leftovers::State& before, const Leftovers::State& now) {
  return now.problem.empty() && now.process == before.process && now.calls <= before.calls &&
         now.dataplane_calls <= before.dataplane_calls && now.mbufs <= before.mbufs &&
         now.descriptors <= before.descriptors;
}

// Say: whoever reads it may be gone, or the disk full; main() says so then.
void Say(const std::string& text) { std::fputs((text + "\n").c_str(), stdout); }

// WaitForBack: true when the server is back at the start in time. A signal ends it.
bool WaitForBack(const Leftovers& leftovers, const Leftovers::State& before, int stop_fd) {
  Leftovers::State now;
  for (int i = 0; i < kBackSeconds * 2; ++i) {
    now = leftovers.Look();
    if (IsBack(before, now)) {
      break;
    }
    if (pollfd polled{stop_fd, POLLIN, 0}; poll(&polled, 1, 500) > 0) {
      break;
    }
  }
  if (!now.problem.empty()) {
    Say("server: " + now.problem);
    return false;
  }
  if (now.process != before.process) {
    Say(fmt::format("server: it is another process, {} instead of {}", now.process,
                    before.process));
  }
  Say(fmt::format(
      "server, before and after: calls {} {}, in the data plane {} {}, mbufs {} {}, descriptors {} "
      "{}",
      before.calls, now.calls, before.dataplane_calls, now.dataplane_calls, before.mbufs, now.mbufs,
      before.descriptors, now.descriptors));
  return IsBack(before, now);
}

// StillServes: a well-behaved call comes up.
bool StillServes(const Prepared& prepared) {
  Plan plan = prepared.plan;
  plan.set_calls(1);
  plan.set_redial(false);
  plan.set_hold_seconds(0);
  plan.set_seconds(0);
  plan.clear_sink();
  Show show(stderr, /*quiet=*/true);
  Runner runner(plan, &prepared.accounts, &show);
  runner.StopOn(prepared.stop_fd);
  if (const std::string wrong = runner.Start(); !wrong.empty()) {
    Say("server: " + wrong);
    return false;
  }
  runner.Run();
  return true;
}

int Run(const Options& options) {
  // The last calls end by themselves; those of before are still there.
  const Prepared prepared = Prepare(kCommand, *options.plan,
                                    {{"calls", {"50"}},
                                     {"rate", {"50"}},
                                     {"redial", {"true"}},
                                     {"hold_seconds", {"3"}},
                                     {"seconds", {"30"}}});
  if (prepared.status != 0) {
    return prepared.status;
  }
  if (!prepared.plan.device().empty()) {
    return CannotStart(kCommand, "device: faults need the raw socket; leave it out");
  }
  if (const std::string wrong = TryReportFiles(prepared.plan); !wrong.empty()) {
    return CannotStart(kCommand, wrong);
  }
  std::optional<Leftovers> leftovers;
  Leftovers::State before;
  // One call before the first look: what a server sets up once is no leftover.
  if (!StillServes(prepared)) {
    return CannotStart(kCommand, "the server takes no call");
  }
  if (!options.management.empty()) {
    leftovers.emplace(options.management);
    std::ignore = leftovers->Look();  // its own connection is no leftover
    std::this_thread::sleep_for(std::chrono::seconds(3));
    before = leftovers->Look();
    if (!before.problem.empty()) {
      return CannotStart(kCommand, before.problem);
    }
  }
  Monkey monkey(options.seed, options.tricks);
  Faults faults(options.seed, kFaultPercent);
  Show show(stderr, prepared.plan.quiet());
  bool all_well = true;
  Report report;
  {
    Runner runner(prepared.plan, &prepared.accounts, &show);
    runner.StopOn(prepared.stop_fd);
    runner.OnTurn([&](Fleet* fleet) {
      fleet->Suffer(&faults);
      monkey.Play(fleet);
    });
    if (const std::string wrong = runner.Start(); !wrong.empty()) {
      return CannotStart(kCommand, wrong);
    }
    runner.Run();
    report = runner.MakeReport();
    Say(fmt::format("{}seed {}, {}", ReportText(report), options.seed, monkey.Summary()));
  }
  // The signal that has ended the run in good order is no reason not to look at the server.
  signalfd_siginfo signal;
  std::ignore = read(prepared.stop_fd, &signal, sizeof signal);
  all_well = StillServes(prepared);
  if (leftovers) {
    all_well = WaitForBack(*leftovers, before, prepared.stop_fd) && all_well;
  }
  Say(all_well ? "all is back at the start" : "NOT HELD: something is left over");
  if (const std::string wrong = WriteReportFiles(prepared.plan, report); !wrong.empty()) {
    return CannotStart(kCommand, wrong);
  }
  return all_well && report.held() ? kHeld : kNotHeld;
}

}  // namespace

void AddMonkey(CLI::App* app, Chosen* chosen) {
  CLI::App* command = app->add_subcommand(
      "monkey",
      "a soak that breaks calls and connections off, says half and does wrong, by a seed");
  auto options = std::make_shared<Options>();
  AddPlanFlags(command, options->plan);
  command->add_option("--seed", options->seed, "the same tricks again");
  command->add_option("--tricks", options->tricks, "a second")->check(CLI::Range(0.1, 10000.0));
  command->add_option("--management", options->management,
                      "Culvert's management.socket: whether anything is left over at the end");
  command->callback([chosen, options] { *chosen = [options] { return Run(*options); }; });
}

}  // namespace culvert::load
