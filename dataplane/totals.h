// What calls, workers and ports have counted, as Datapath tells it.
#pragma once

#include <cstdint>
#include <vector>

namespace culvert::dataplane {

struct CallTotals {
  uint64_t upstream_packets = 0, upstream_octets = 0, upstream_drops = 0;
  uint64_t downstream_packets = 0, downstream_octets = 0, downstream_drops = 0;
};
struct DropTotal {
  const char* name;
  const char* text;
  const char* source;
  uint64_t packets;
};
struct StageTotal {
  const char* name;  // static
  uint64_t packets, cycles;
};
// RoundTotals: how long a worker's rounds took, since it was made.
struct RoundTotals {
  std::vector<uint64_t> counts;  // as RoundTimes::counts
  uint64_t total_us = 0;
  uint64_t longest_us = 0;
};
struct WorkerTotals {
  uint64_t received = 0, transmitted = 0, punted = 0, handed_over = 0;
  uint64_t icmp_errors = 0, icmp_suppressed = 0;  // sent; too many to be sent
  uint64_t consumed = 0;         // acknowledgements and the like, which end here as they should
  std::vector<DropTotal> drops;  // every reason
  std::vector<StageTotal> stages;
  RoundTotals rounds;
  // What waits now: packets to this worker from others; from it to kernel and control; events.
  uint32_t hand_over_depth = 0, punted_depth = 0, events_depth = 0;
};

// What the workers count of a port. Of a port with its own device, the device counts frames.
struct PortTraffic {
  uint64_t rx_packets = 0, rx_octets = 0;  // sub-ports only, Ethernet header without tag included
  uint64_t tx_packets = 0, tx_octets = 0;  // sub-ports only
  // Dropped: the ring to the TAP was full, the transmit queue was full, there was no link.
  uint64_t tap_full = 0, transmit_full = 0, down = 0;
};

}  // namespace culvert::dataplane
