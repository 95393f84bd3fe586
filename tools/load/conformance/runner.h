// Runner tries cases against a server, several at a time.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tools/load/conformance/case.h"
#include "tools/load/conformance/target.h"

namespace culvert::load::conformance {

struct Outcome {
  const Case* tried = nullptr;
  Result result;
  double seconds = 0;
};

// AllCases: every case of every group, in order.
[[nodiscard]] std::vector<const Case*> AllCases();
// Select gives those whose name one of `patterns` matches (all without a pattern): a whole name,
// the name of a group, or a pattern with * and ?. `unknown` gets the first that matches none.
[[nodiscard]] std::vector<const Case*> Select(const std::vector<std::string>& patterns,
                                              std::string* unknown);

// RunCases tries `cases`, `jobs` at a time, and gives the outcomes in their order. Cases that wait
// for timers begin first. `done` is called after each, from any thread but one at a time.
// `quick`: those are skipped.
[[nodiscard]] std::vector<Outcome> RunCases(const std::vector<const Case*>& cases,
                                            const Target& target, const Survey& survey,
                                            unsigned jobs, bool quick,
                                            const std::function<void(const Outcome&)>& done);

}  // namespace culvert::load::conformance
