// Workload: bursts of packets for some calls, the same for everything that is compared.
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/mppe/engine.h"

namespace culvert::bench {

struct Spec {
  bool stateful = false;
  bool encrypt = false;  // the keys of the other direction; the work is the same
  uint16_t bits = 128;
  unsigned size = 64;  // octets of the inner IP packet; 0: IMIX, 64, 576 and 1400 as 7:4:1
  unsigned calls = 32;
};

constexpr unsigned kBurst = 32;
constexpr unsigned kBursts = 24;  // of one sample: IMIX comes out even

struct Packet {
  unsigned call;
  uint16_t predecessor;  // the call's packet before, in this burst
  uint16_t len;          // of what is encrypted: the packet and its protocol field
  size_t offset;         // of its text
};
using Burst = std::vector<Packet>;

struct Workload {
  explicit Workload(const Spec& spec);

  Spec spec;
  std::vector<Burst> bursts;
  std::vector<dataplane::mppe::Key> start_keys;  // of each call
  size_t texts_len = 0;
  double octets_per_packet = 0;  // of inner IP packets
};

}  // namespace culvert::bench
