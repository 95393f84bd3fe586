// WorkerMppe: what a worker needs for MPPE. Its thread's only.
#pragma once

#include <memory>

#include "dataplane/mppe/engine.h"
#include "dataplane/mppe/receive/catch_up.h"
#include "dataplane/mppe/receive/stateful.h"
#include "dataplane/mppe/receive/stateless.h"
#include "dataplane/mppe/send.h"
#include "dataplane/mppe/stateful_table.h"

namespace culvert::dataplane::mppe {

struct WorkerMppe {
  WorkerMppe(std::unique_ptr<Engine> own_engine, StatefulTable* stateful_table)
      : engine(std::move(own_engine)), table(stateful_table) {}

  std::unique_ptr<Engine> engine;
  StatefulTable* table;  // of all workers; borrowed
  CatchUps catch_ups;
  Receiver receiver{engine.get(), &catch_ups};
  StatefulReceiver stateful_receiver{engine.get(), &catch_ups};
  Sender sender{engine.get()};
};

}  // namespace culvert::dataplane::mppe
