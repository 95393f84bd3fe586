// The plot of a run.
#pragma once

#include <string>

#include "load.pb.h"

namespace culvert::load {

// Plot is an SVG picture of calls, set-ups, packets and round trips over time.
[[nodiscard]] std::string Plot(const v1::Report& report);

}  // namespace culvert::load
