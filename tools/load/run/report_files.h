// The files that the report of a run is written to: the plan's `json` and `plot`.
#pragma once

#include <string>

#include "tools/load/plan/plan.h"
#include "tools/load/report/report.h"

namespace culvert::load {

// TryReportFiles makes them, empty, before a run that they would be missed after; gives what is
// wrong, or an empty string.
[[nodiscard]] std::string TryReportFiles(const Plan& plan);
// WriteReportFiles writes all that can be written; gives what is wrong, or an empty string.
[[nodiscard]] std::string WriteReportFiles(const Plan& plan, const Report& report);

}  // namespace culvert::load
