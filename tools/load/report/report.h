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

// Dialling: the part of a run whose set-ups a second are told.
struct Dialling {
  size_t samples = 0;  // that begin in it
  double seconds = 0;  // from the first call to the last that came up
  uint64_t up = 0;     // calls that came up
};

// MakeReport also says which of the plan's limits did not hold. `samples` are of the seconds; those
// in which calls were dialled come first.
[[nodiscard]] Report MakeReport(const Plan& plan, const Tally& tally,
                                const std::vector<Call>& calls,
                                const std::vector<client_role::Account>& accounts,
                                const std::vector<v1::Sample>& samples, const Dialling& dialling);

[[nodiscard]] std::string ReportText(const Report& report);
[[nodiscard]] std::string ReportJson(const Report& report);

}  // namespace culvert::load
