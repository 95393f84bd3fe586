// WorkerMppe: what a worker needs for MPPE. Its thread's only.
#pragma once

#include <memory>

#include "dataplane/mppe/engine.h"
#include "dataplane/mppe/receive.h"
#include "dataplane/mppe/send.h"

namespace culvert::dataplane::mppe {

struct WorkerMppe {
  std::unique_ptr<Engine> engine;
  Receiver receiver;
  Sender sender;
};

}  // namespace culvert::dataplane::mppe
