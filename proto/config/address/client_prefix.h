// Who may ask: one address or a prefix of either family, as one IPv6 prefix.
#pragma once

#include <optional>
#include <string_view>

#include "proto/config/address/address6.h"

namespace culvert::config {

// ParseClientPrefix: "192.0.2.1", "192.0.2.0/24", "2001:db8::1" or "2001:db8::/32". IPv4 comes out
// mapped (::ffff:192.0.2.0/120).
[[nodiscard]] std::optional<Ipv6Prefix> ParseClientPrefix(std::string_view text);

}  // namespace culvert::config
