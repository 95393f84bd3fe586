// ParseRateLimit reads Mikrotik-Rate-Limit: "rx[/tx] [burst] [threshold] [time] [priority] [min]",
// where rx is what the client sends. Each rate is digits with k, M or G (powers of ten).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace culvert::radius {

struct RateLimit {
  uint64_t upstream_bps = 0;  // 0: no limit
  uint64_t downstream_bps = 0;
};

// ParseRateLimit: bursts, priority and minimum are checked for their form and not used: a call has
// one rate in each direction. Without tx both are rx. nullopt: not of this form, or a rate above
// 1 Tbit/s.
[[nodiscard]] std::optional<RateLimit> ParseRateLimit(std::string_view text);

}  // namespace culvert::radius
