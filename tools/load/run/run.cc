// culvert-load run: the command line.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <memory>

#include "tools/load/report/plot.h"
#include "tools/load/run/plan_flags.h"
#include "tools/load/run/runner.h"
#include "tools/load/subcommand.h"

namespace culvert::load {
namespace {

constexpr char kCommand[] = "run";

bool Write(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  return !file.fail();
}

int Run(const PlanOptions& options) {
  const Prepared prepared = Prepare(kCommand, options);
  if (prepared.status != 0) {
    return prepared.status;
  }
  const Plan& plan = prepared.plan;
  for (const std::string& path : {plan.json(), plan.plot()}) {
    if (!path.empty() && !Write(path, "")) {
      return CannotStart(kCommand, path + ": cannot be written");
    }
  }
  Show show(stderr, plan.quiet());
  Runner runner(plan, &prepared.accounts, &show);
  runner.StopOn(prepared.stop_fd);
  if (const std::string wrong = runner.Start(); !wrong.empty()) {
    return CannotStart(kCommand, wrong);
  }
  runner.Run();
  const Report report = runner.MakeReport();
  fmt::print("{}", ReportText(report));
  std::fflush(stdout);
  if (!plan.json().empty() && !Write(plan.json(), ReportJson(report))) {
    return CannotStart(kCommand, plan.json() + ": cannot be written");
  }
  if (!plan.plot().empty() && !Write(plan.plot(), Plot(report))) {
    return CannotStart(kCommand, plan.plot() + ": cannot be written");
  }
  return report.held() ? kHeld : kNotHeld;
}

}  // namespace

void AddRun(CLI::App* app, Chosen* chosen) {
  CLI::App* command = app->add_subcommand("run", "dial calls, send packets through them, report");
  auto options = std::make_shared<PlanOptions>();
  AddPlanFlags(command, options);
  command->callback([chosen, options] { *chosen = [options] { return Run(*options); }; });
}

}  // namespace culvert::load
