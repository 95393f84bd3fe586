// Enhanced GRE (RFC 2637 s4.1). Plain functions on octets, for the packet path too:
// no allocation, no failure after Parse.
#pragma once

#include <cstdint>

#include <tl/expected.hpp>

#include "proto/wire/cursor.h"

namespace culvert::wire::gre {

constexpr uint8_t kIpProtocol = 47;
constexpr uint16_t kProtocolPpp = 0x880b;
constexpr size_t kMinHeaderLen = 8;
constexpr size_t kMaxHeaderLen = 16;

struct Header {
  uint16_t payload_len = 0;
  uint16_t call_id = 0;  // assigned by the receiver of the packet
  bool has_sequence = false;
  bool has_ack = false;
  uint32_t sequence = 0;
  uint32_t ack = 0;
  bool operator==(const Header&) const = default;
};

constexpr size_t HeaderLen(const Header& h) {
  return kMinHeaderLen + (h.has_sequence ? 4 : 0) + (h.has_ack ? 4 : 0);
}

enum class Error : uint8_t { kTruncated, kBadFlags, kBadProtocol, kBadLength };

// Parse reads the header at the front of `in`, an IP payload cut to the IP total length.
// kBadFlags: (first word & 0xef7f) != 0x2001. kBadLength: S is set and payload_len is more
// than what follows the header. Octets beyond payload_len are padding.
[[nodiscard]] tl::expected<Header, Error> Parse(Octets in);

// Emit writes HeaderLen(h) octets to `out`, which must have room for them; returns their number.
size_t Emit(const Header& h, uint8_t* out);

// SequenceAfter: a is later than b, in serial arithmetic (s4.3; survives the wrap).
constexpr bool SequenceAfter(uint32_t a, uint32_t b) { return static_cast<int32_t>(a - b) > 0; }

}  // namespace culvert::wire::gre
