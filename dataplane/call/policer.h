// Policer: a limit of a call's rate in one direction (RFC 2697, RFC 2698; rte_meter, color blind).
#pragma once

#include <rte_meter.h>

#include <cstdint>

#include "dataplane/datapath.h"

namespace culvert::dataplane {

// Plain octets, all zeros at first, so that it can stand in a SparseTable. Owner: the call's
// worker.
class Policer {
 public:
  // Set takes new limits. Unless they are others than before, the buckets stay as they are; of new
  // ones they are full. committed_bps must not be 0. Bursts of 0 are a tenth of a second's octets,
  // at least a large packet.
  void Set(const PolicerSpec& spec);
  // Clear: as at first.
  void Clear() { *this = Policer(); }

  // Allows takes `len` octets from the buckets; false: the packet is red, and goes.
  bool Allows(uint64_t now_tsc, uint32_t len) {
    const rte_color color =
        is_two_rate_ ? rte_meter_trtcm_color_blind_check(&two_.meter, &two_.profile, now_tsc, len)
                     : rte_meter_srtcm_color_blind_check(&one_.meter, &one_.profile, now_tsc, len);
    return color != RTE_COLOR_RED;
  }

 private:
  PolicerSpec spec_;
  bool is_two_rate_ = false;
  union {
    struct {
      rte_meter_srtcm_profile profile;
      rte_meter_srtcm meter;
    } one_;
    struct {
      rte_meter_trtcm_profile profile;
      rte_meter_trtcm meter;
    } two_ = {};
  };
};

struct CallPolicers {
  Policer upstream, downstream;
};

}  // namespace culvert::dataplane
