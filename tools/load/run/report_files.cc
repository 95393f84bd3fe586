#include "tools/load/run/report_files.h"

#include "tools/load/report/plot.h"
#include "tools/load/report/write_file.h"

namespace culvert::load {

namespace {

std::string FirstOf(const std::string& one, const std::string& other) {
  return one.empty() ? other : one;
}

}  // namespace

std::string TryReportFiles(const Plan& plan) {
  return FirstOf(WriteFile(plan.json(), ""), WriteFile(plan.plot(), ""));
}

std::string WriteReportFiles(const Plan& plan, const Report& report) {
  const std::string json_wrong = WriteFile(plan.json(), ReportJson(report));
  return FirstOf(json_wrong, WriteFile(plan.plot(), Plot(report)));
}

}  // namespace culvert::load
