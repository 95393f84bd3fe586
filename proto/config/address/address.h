// Addresses as the configuration writes them. Parsers take exactly the forms named here, no
// spaces and no leading zeros, and answer nullopt for everything else. Addresses are in host
// byte order (192.0.2.1 = 0xc0000201).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace culvert::config {

struct Ipv4Prefix {
  uint32_t address = 0;  // host bits zero, except in an interface address
  uint8_t length = 0;    // 0-32

  [[nodiscard]] uint32_t Mask() const { return length == 0 ? 0 : ~uint32_t{0} << (32 - length); }
  [[nodiscard]] uint32_t First() const { return address & Mask(); }
  [[nodiscard]] uint32_t Last() const { return address | ~Mask(); }
  [[nodiscard]] bool Contains(uint32_t other) const { return (other & Mask()) == First(); }
};

// Ipv4Range holds both its ends.
struct Ipv4Range {
  uint32_t first = 0;
  uint32_t last = 0;

  [[nodiscard]] uint64_t Size() const { return uint64_t{last} - first + 1; }
  [[nodiscard]] bool Contains(uint32_t address) const {
    return first <= address && address <= last;
  }
};

struct Endpoint {
  uint32_t address = 0;  // 0.0.0.0: all
  uint16_t port = 0;     // 1-65535
};

using MacAddress = std::array<uint8_t, 6>;

// ParseIpv4: "192.0.2.1".
[[nodiscard]] std::optional<uint32_t> ParseIpv4(std::string_view text);
// ParsePrefix: "192.0.2.0/24", host bits zero.
[[nodiscard]] std::optional<Ipv4Prefix> ParsePrefix(std::string_view text);
// ParseInterface: "192.0.2.1/24", an address and the prefix it stands in; /1 to /32.
[[nodiscard]] std::optional<Ipv4Prefix> ParseInterface(std::string_view text);
// ParseRange: "192.0.2.10-192.0.2.99" with the ends in order, or a prefix: all its addresses.
[[nodiscard]] std::optional<Ipv4Range> ParseRange(std::string_view text);
// ParseEndpoint: "192.0.2.1:1723".
[[nodiscard]] std::optional<Endpoint> ParseEndpoint(std::string_view text);
// ParseMac: "02:00:00:00:00:01", a unicast address that is not all zeros.
[[nodiscard]] std::optional<MacAddress> ParseMac(std::string_view text);

// FormatIpv4: "192.0.2.1".
[[nodiscard]] std::string FormatIpv4(uint32_t address);
// FormatPrefix: "192.0.2.1/24", host bits kept.
[[nodiscard]] std::string FormatPrefix(const Ipv4Prefix& prefix);
// FormatEndpoint: "192.0.2.1:1723".
[[nodiscard]] std::string FormatEndpoint(const Endpoint& endpoint);

}  // namespace culvert::config
