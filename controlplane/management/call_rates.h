// What a call may send and receive, and how an operator changes it.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <optional>

namespace culvert {

// CallRates: bits a second of inner IP packets; 0: no limit.
struct CallRates {
  uint64_t upstream_bps = 0, downstream_bps = 0;
};
// RateChange: absent: as it is.
struct RateChange {
  std::optional<uint64_t> upstream_bps, downstream_bps;
};
// RateChanged is told what holds now, when the data plane has it, or why not. Called once, by a
// shard's thread.
using RateChanged = std::function<void(const absl::StatusOr<CallRates>&)>;

}  // namespace culvert
