// Enhanced GRE (RFC 2637 s4.1). Plain functions on octets, for the packet path too:
// no allocation, no failure after Parse.
#pragma once

#include <cstdint>
#include <tl/expected.hpp>

#include "proto/wire/byte_order.h"
#include "proto/wire/cursor.h"

namespace culvert::wire::gre {

constexpr uint8_t kIpProtocol = 47;
constexpr uint16_t kProtocolPpp = 0x880b;
constexpr uint16_t kFlags = 0x2001;  // K and version 1; S and A come on top
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
// Errors, in the order of the checks: kTruncated (below 8 octets), kBadProtocol, kBadFlags
// ((first word & 0xef7f) != 0x2001), kTruncated (below HeaderLen), kBadLength (S is set and
// payload_len is more than what follows the header). Octets beyond payload_len are padding.
[[nodiscard]] inline tl::expected<Header, Error> Parse(Octets in) {
  constexpr uint16_t kSequenceBit = 0x1000;
  constexpr uint16_t kAckBit = 0x0080;
  if (in.size() < kMinHeaderLen) {
    return tl::unexpected(Error::kTruncated);
  }
  if (LoadBe16(&in[2]) != kProtocolPpp) {
    return tl::unexpected(Error::kBadProtocol);
  }
  const uint16_t word = LoadBe16(&in[0]);
  if ((word & static_cast<uint16_t>(~(kSequenceBit | kAckBit))) != kFlags) {
    return tl::unexpected(Error::kBadFlags);
  }
  Header h;
  h.payload_len = LoadBe16(&in[4]);
  h.call_id = LoadBe16(&in[6]);
  h.has_sequence = (word & kSequenceBit) != 0;
  h.has_ack = (word & kAckBit) != 0;
  const size_t header_len = HeaderLen(h);
  if (in.size() < header_len) {
    return tl::unexpected(Error::kTruncated);
  }
  if (h.has_sequence && h.payload_len > in.size() - header_len) {
    return tl::unexpected(Error::kBadLength);
  }
  h.sequence = h.has_sequence ? LoadBe32(&in[8]) : 0;
  h.ack = h.has_ack ? LoadBe32(&in[header_len - 4]) : 0;
  return h;
}

// Emit writes HeaderLen(h) octets to `out`, which must have room for them; returns their number.
inline size_t Emit(const Header& h, uint8_t* out) {
  StoreBe16(out, static_cast<uint16_t>(kFlags | (h.has_sequence ? 0x1000 : 0) |
                                       (h.has_ack ? 0x0080 : 0)));
  StoreBe16(out + 2, kProtocolPpp);
  StoreBe16(out + 4, h.payload_len);
  StoreBe16(out + 6, h.call_id);
  if (h.has_sequence) {
    StoreBe32(out + 8, h.sequence);
  }
  const size_t header_len = HeaderLen(h);
  if (h.has_ack) {
    StoreBe32(out + header_len - 4, h.ack);
  }
  return header_len;
}

// SequenceAfter: a is later than b, in serial arithmetic (s4.3; survives the wrap).
constexpr bool SequenceAfter(uint32_t a, uint32_t b) { return static_cast<int32_t>(a - b) > 0; }

}  // namespace culvert::wire::gre
