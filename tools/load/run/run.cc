// culvert-load run: the command line.
#include <cstdio>
#include <memory>

#include "tools/load/run/plan_flags.h"
#include "tools/load/run/report_files.h"
#include "tools/load/run/runner.h"
#include "tools/load/subcommand.h"

namespace culvert::load {
namespace {

constexpr char kCommand[] = "run";

int Run(const PlanOptions& options) {
  const Prepared prepared = Prepare(kCommand, options);
  if (prepared.status != 0) {
    return prepared.status;
  }
  const Plan& plan = prepared.plan;
  if (const std::string wrong = TryReportFiles(plan); !wrong.empty()) {
    return CannotStart(kCommand, wrong);
  }
  Show show(stderr, plan.quiet());
  Runner runner(plan, &prepared.accounts, &show);
  runner.StopOn(prepared.stop_fd);
  if (const std::string wrong = runner.Start(); !wrong.empty()) {
    return CannotStart(kCommand, wrong);
  }
  runner.Run();
  const Report report = runner.MakeReport();
  std::fputs(ReportText(report).c_str(), stdout);
  std::fflush(stdout);
  if (const std::string wrong = WriteReportFiles(plan, report); !wrong.empty()) {
    return CannotStart(kCommand, wrong);
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
