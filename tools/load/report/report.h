// The report of a run, for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "load.pb.h"
#include "tools/load/fleet/call.h"
#include "tools/load/plan/plan.h"
#include "tools/load/report/tally.h"

namespace culvert::load {

using v1::Report;

// MakeReport also says which of the plan's limits did not hold. `samples` are of the seconds; those
// in which calls were dialled come first, `dialling` of them.
[[nodiscard]] Report MakeReport(const Plan& plan, const Tally& tally,
                                const std::vector<Call>& calls,
                                const std::vector<client_role::Account>& accounts,
                                const std::vector<v1::Sample>& samples, size_t dialling,
                                double dial_seconds);

[[nodiscard]] std::string ReportText(const Report& report);
[[nodiscard]] std::string ReportJson(const Report& report);

}  // namespace culvert::load
