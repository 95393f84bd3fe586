// TakeSurvey finds out what the server does at all, so that cases it cannot pass or fail are
// skipped with a reason.
#pragma once

#include <string>

#include "tools/load/conformance/target.h"

namespace culvert::load::conformance {

// TakeSurvey makes a few calls. An empty string, or why no case can be tried: one line.
[[nodiscard]] std::string TakeSurvey(const Target& target, Survey* survey);
// WhyNot says what of `needs` is not met; empty when all is.
[[nodiscard]] std::string WhyNot(uint32_t needs, const Survey& survey);

}  // namespace culvert::load::conformance
