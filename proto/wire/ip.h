// IPv4 and TCP as far as a forwarder needs them. Functions work on octets in place.
#pragma once

#include <cstdint>
#include <span>

#include <tl/expected.hpp>

#include "proto/wire/cursor.h"

namespace culvert::wire::ip {

constexpr size_t kIpv4HeaderLen = 20;

// Ipv4Header is what Parse found; addresses in host order.
struct Ipv4Header {
  uint8_t header_len = 0;  // octets, 20-60
  uint8_t tos = 0;
  uint16_t total_len = 0;  // octets, header included
  uint16_t fragment = 0;   // flags and offset field
  uint8_t ttl = 0;
  uint8_t protocol = 0;
  uint32_t source = 0;
  uint32_t destination = 0;
  [[nodiscard]] bool IsFragment() const { return (fragment & 0x3fff) != 0; }
  [[nodiscard]] bool IsFirstFragment() const { return (fragment & 0x1fff) == 0; }
  [[nodiscard]] bool DontFragment() const { return (fragment & 0x4000) != 0; }
};

enum class Error : uint8_t { kTruncated, kBadVersion, kBadHeaderLen, kBadTotalLen, kBadChecksum };

// ParseIpv4 does the checks of RFC 1812 s5.2.2; octets beyond total_len are padding.
[[nodiscard]] tl::expected<Ipv4Header, Error> ParseIpv4(Octets in);

// Checksum is the Internet checksum of `in` (RFC 1071), in host order.
uint16_t Checksum(Octets in);
// UpdateChecksum is RFC 1624 equation 3: a 16-bit word changed from `from` to `to`; host order.
constexpr uint16_t UpdateChecksum(uint16_t checksum, uint16_t from, uint16_t to) {
  uint32_t sum = static_cast<uint16_t>(~checksum) + static_cast<uint32_t>(static_cast<uint16_t>(~from)) + to;
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

// DecrementTtl takes one off the TTL of a header that ParseIpv4 accepted with ttl > 1.
void DecrementTtl(uint8_t* header);

// ClampTcpMss lowers the MSS option of a SYN to `mss`; `packet` is a whole IPv4 packet that
// ParseIpv4 accepted. Never raises, never adds. Returns whether it changed something.
bool ClampTcpMss(std::span<uint8_t> packet, const Ipv4Header& header, uint16_t mss);

// Martians (RFC 1812 s5.3.7): addresses that no forwarded packet may have.
[[nodiscard]] bool IsMartianSource(uint32_t address);
[[nodiscard]] bool IsMartianDestination(uint32_t address);

}  // namespace culvert::wire::ip
