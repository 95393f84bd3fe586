// Cisco-AVPair: the pairs that servers of other concentrators send for pools and rates.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "controlplane/radius/packet.h"

namespace culvert::radius {

struct CiscoPairs {
  std::string pool;                                      // ip:addr-pool=NAME; empty: none
  std::optional<uint64_t> upstream_bps, downstream_bps;  // 0: no limit
};

// ReadCiscoPairs: `lcp:interface-config#1=rate-limit input 1000000 ...` is a rate from the client,
// `output` to it; bursts and actions are not used. Other pairs are ignored. nullopt: a rate that is
// no number up to 1 Tbit/s.
[[nodiscard]] std::optional<CiscoPairs> ReadCiscoPairs(const Packet& packet);

}  // namespace culvert::radius
