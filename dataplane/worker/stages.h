// The packet path, written down once: which steps make a stage, in order.
#pragma once

#include <span>

#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// StepsOf gives a stage's steps; the last one never returns Verdict::Next.
std::span<const Step> StepsOf(Stage stage);

}  // namespace culvert::dataplane
