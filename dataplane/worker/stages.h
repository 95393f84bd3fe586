// The packet path, written down once: which steps make a stage, in order.
#pragma once

#include <span>

#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

struct NamedStep {
  const char* name;
  Step step;
};

// StageSteps: a stage is a list of steps or one burst step. The last step never returns Next().
struct StageSteps {
  const char* name;
  std::span<const NamedStep> steps;  // a burst stage has none
  Step run;                          // all of them, one after the other; nullptr: burst stage
  BurstStep burst;
};

const StageSteps& StepsOf(Stage stage);

}  // namespace culvert::dataplane
