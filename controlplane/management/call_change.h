// What a call is given besides its addresses, and how operators and RADIUS servers change it
// while it is up.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/filters/filter_hold.h"

namespace culvert {

// CallRates: bits a second of inner IP packets; 0: no limit.
struct CallRates {
  uint64_t upstream_bps = 0, downstream_bps = 0;
};

constexpr uint64_t kMinRateBps = 8000, kMaxRateBps = 1'000'000'000'000;
constexpr uint32_t kMaxIdleTimeoutS = 2'592'000;  // 30 days
constexpr uint32_t kMinInterimIntervalS = 60;     // RFC 2869 s5.16

// CallChange: all of it holds after the change, or nothing. Absent: as it is.
struct CallChange {
  std::optional<uint64_t> upstream_bps = {}, downstream_bps = {};  // 0: no limit
  std::optional<uint32_t> session_timeout_s = {};                  // since the call was up; 0: none
  std::optional<uint32_t> idle_timeout_s = {};                     // 0: none
  std::optional<uint64_t> octet_quota = {};                        // both directions; 0: none
  std::optional<uint32_t> interim_interval_s = {};                 // 0: none
  std::optional<std::vector<std::vector<uint8_t>>> classes = {};
  std::optional<std::string> filter_id = {};     // Filter-Id
  std::optional<std::string> filter_rules = {};  // NAS-Filter-Rule
  std::optional<FilterHold> filter = {};         // what they come to, in a change under way
  std::optional<std::string> address_lists = {};  // for the hooks
};

// Check: INVALID_ARGUMENT names the field that cannot be.
[[nodiscard]] absl::Status Check(const CallChange& change);

// Merge: what `later` has replaces what `change` has.
void Merge(const CallChange& later, CallChange& change);

// CallChanged is told the rates that hold now, when the data plane has the change, or why nothing
// was changed. Called once, by a shard's thread.
using CallChanged = std::function<void(const absl::StatusOr<CallRates>&)>;

// ChangeCall asks for a change and comes back at once. Called by any thread.
using ChangeCall = std::function<void(uint64_t id, CallChange change, CallChanged done)>;

}  // namespace culvert
