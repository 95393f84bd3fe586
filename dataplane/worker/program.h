// How a worker changes its calls when the control side asks.
#pragma once

#include "dataplane/worker/command.h"
#include "dataplane/worker/context.h"

namespace culvert::dataplane {

// Apply carries out a command on the worker's thread and fills its answer; it does not set done.
// Keys whose epoch and bits stay run on; others begin anew.
void Apply(Command* command, WorkerContext* context);

CallTotals TotalsOf(const Call& call);

}  // namespace culvert::dataplane
