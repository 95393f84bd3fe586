// A server's state as operators are shown it. Any thread.
#pragma once

#include <cstdint>
#include <optional>

#include "controlplane/radius/client/server.h"
#include "culvert/management/v1/management.pb.h"

namespace culvert::radius {

struct ResponseTimes {
  uint64_t p50_us = 0, p99_us = 0;
};

// RecentTimes: of the last kRecent answers; nullopt: there was none yet.
[[nodiscard]] std::optional<ResponseTimes> RecentTimes(const ServerStats& stats);

// BadReplies: datagrams that cannot have been meant as an answer; late and repeated ones are not
// among them.
[[nodiscard]] uint64_t BadReplies(const ServerStats& stats);

// ToProto: `now_us` is of the clock of ServerStats::up_changed_us.
[[nodiscard]] management::v1::RadiusServer ToProto(const ServerStats& stats, uint64_t now_us);

}  // namespace culvert::radius
