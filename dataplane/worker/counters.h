// WorkerCounters: one writer, the worker; anybody may Load.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "dataplane/call/call.h"
#include "dataplane/packet/drop_reason.h"
#include "dataplane/packet/verdict.h"

namespace culvert::dataplane {

struct StageCounters {
  uint64_t packets = 0;
  uint64_t ticks = 0;  // of the time stamp counter
};

// RoundTimes: how long the rounds of a worker took. A worker that another thread of the system puts
// off its core has long rounds, too.
struct RoundTimes {
  static constexpr unsigned kNumBuckets = 12;
  // [i]: rounds of less than 2^i us, but not of less than 2^(i-1); the last: all others.
  uint64_t counts[kNumBuckets] = {};
  uint64_t ticks = 0;  // of all, of the time stamp counter
  uint64_t longest_ticks = 0;

  // Count takes one; `us_32` is 2^32 times the microseconds of a tick.
  void Count(uint64_t took, uint64_t us_32) {
    const auto bucket = static_cast<unsigned>(std::bit_width(took * us_32 >> 32));
    Add(&counts[std::min(bucket, kNumBuckets - 1)], 1);
    Add(&ticks, took);
    if (took > longest_ticks) {
      Store(&longest_ticks, took);
    }
  }
};

struct alignas(64) WorkerCounters {
  uint64_t received = 0;     // from ports, the TUN and the control plane
  uint64_t transmitted = 0;  // to ports
  uint64_t punted = 0;       // to TAPs, the TUN and the control plane
  uint64_t handed_over = 0;
  uint64_t icmp_errors = 0;      // sent
  uint64_t icmp_suppressed = 0;  // not sent: too many
  uint64_t consumed = 0;         // acknowledgements, sequence numbers without payload
  uint64_t drops[kNumDropReasons] = {};
  StageCounters stages[kNumStages];
  RoundTimes rounds;
};

// PortCountersBlock: of one port, as PortTraffic.
struct alignas(64) PortCountersBlock {
  uint64_t rx_packets = 0, rx_octets = 0;
  uint64_t tx_packets = 0, tx_octets = 0;
  uint64_t tap_full = 0, transmit_full = 0, down = 0;
};

}  // namespace culvert::dataplane
