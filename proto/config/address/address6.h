// IPv6 addresses as the configuration and RADIUS write them (RFC 4291 s2.2, RFC 5952). Parsers
// answer nullopt for everything else: no zone, no spaces. Octets are in network order.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace culvert::config {

using Ipv6Address = std::array<uint8_t, 16>;

struct Ipv6Prefix {
  Ipv6Address address{};  // bits beyond the length are zero
  uint8_t length = 0;     // 0-128

  [[nodiscard]] bool Contains(const Ipv6Address& other) const;
  friend bool operator==(const Ipv6Prefix&, const Ipv6Prefix&) = default;
};

// ParseIpv6: "2001:db8::1".
[[nodiscard]] std::optional<Ipv6Address> ParseIpv6(std::string_view text);
// ParsePrefix6: "2001:db8::/32", host bits zero.
[[nodiscard]] std::optional<Ipv6Prefix> ParsePrefix6(std::string_view text);
// ParseInterface6: "2001:db8::1/64", an address and the length of the prefix it stands in; /1 to
// /128. The result keeps its host bits.
[[nodiscard]] std::optional<Ipv6Prefix> ParseInterface6(std::string_view text);

// FormatIpv6: "2001:db8::1".
[[nodiscard]] std::string FormatIpv6(const Ipv6Address& address);
// FormatPrefix6: "2001:db8::/32".
[[nodiscard]] std::string FormatPrefix6(const Ipv6Prefix& prefix);

}  // namespace culvert::config
