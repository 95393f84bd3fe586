// WorkerCounters: one writer, the worker; anybody may Load.
#pragma once

#include <cstdint>

#include "dataplane/call/call.h"
#include "dataplane/packet/drop_reason.h"
#include "dataplane/packet/verdict.h"

namespace culvert::dataplane {

struct StageCounters {
  uint64_t packets = 0;
  uint64_t ticks = 0;  // of the time stamp counter
};

struct alignas(64) WorkerCounters {
  uint64_t received = 0;     // from ports, the TUN and the control plane
  uint64_t transmitted = 0;  // to ports
  uint64_t punted = 0;       // to TAPs, the TUN and the control plane
  uint64_t handed_over = 0;
  uint64_t consumed = 0;  // acknowledgements, sequence numbers without payload
  uint64_t drops[kNumDropReasons] = {};
  StageCounters stages[kNumStages];
};

// PortCountersBlock: of one port, as PortTraffic.
struct alignas(64) PortCountersBlock {
  uint64_t rx_packets = 0, rx_octets = 0;
  uint64_t tx_packets = 0, tx_octets = 0;
  uint64_t tap_full = 0, transmit_full = 0, down = 0;
};

}  // namespace culvert::dataplane
