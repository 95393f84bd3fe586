#include "tools/load/run/report_files.h"

#include <fstream>

#include "tools/load/report/plot.h"

namespace culvert::load {

namespace {

std::string Write(const std::string& path, const std::string& text) {
  if (path.empty()) {
    return "";
  }
  std::ofstream file(path);
  file << text;
  file.close();
  return file.fail() ? path + ": cannot be written" : "";
}

std::string FirstOf(const std::string& one, const std::string& other) {
  return one.empty() ? other : one;
}

}  // namespace

std::string TryReportFiles(const Plan& plan) {
  return FirstOf(Write(plan.json(), ""), Write(plan.plot(), ""));
}

std::string WriteReportFiles(const Plan& plan, const Report& report) {
  const std::string json_wrong = Write(plan.json(), ReportJson(report));
  return FirstOf(json_wrong, Write(plan.plot(), Plot(report)));
}

}  // namespace culvert::load
