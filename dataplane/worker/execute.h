// Execute has workers carry out commands, each its own in their order, and returns when all have.
// Control side, one thread at a time; `runs`: as Worker::Finish.
#pragma once

#include <atomic>
#include <memory>
#include <span>

#include "dataplane/worker/worker.h"

namespace culvert::dataplane {

void Execute(std::span<Command* const> commands, std::span<const std::unique_ptr<Worker>> workers,
             const std::atomic<bool>& runs);

}  // namespace culvert::dataplane
