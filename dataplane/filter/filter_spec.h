// FilterSpec: a filter as the control side gives it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "dataplane/datapath.h"
#include "proto/config/filter/filter_size.h"

namespace culvert::dataplane {

constexpr uint32_t kMaxFilterId = 1023;
using config::kMaxFilterRules;

struct PortRange {
  uint16_t first = 0, last = 65535;  // inclusive
};

// FilterRuleSpec: all that is set must match.
struct FilterRuleSpec {
  bool permit = false;
  bool upstream = false;
  uint8_t protocol = 0;  // 0: any
  // Absent: any of the family of the other; both absent: both families. A length of 0 is any
  // address of its family.
  std::optional<PrefixSpec> source = {}, destination = {};
  // Of TCP, UDP and SCTP; of ICMP the destination's is the type. What tells no ports, such as a
  // fragment but the first, matches no rule that has them.
  std::optional<PortRange> source_ports = {}, destination_ports = {};
  uint8_t tcp_flags_mask = 0, tcp_flags = 0;  // mask 0: any
};

struct FilterSpec {
  uint32_t id = 0;  // 1 to kMaxFilterId
  std::vector<FilterRuleSpec> rules =
      {};  // at most kMaxFilterRules; the first that matches decides
  // When none does.
  bool permit_upstream = false, permit_downstream = false;
};

}  // namespace culvert::dataplane
