// IPv4 and TCP as far as a forwarder needs them. Functions work on octets in place.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <tl/expected.hpp>

#include "proto/wire/byte_order.h"
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

// FoldSum makes a sum of 32-bit words in the machine's order the checksum, in host order.
inline uint16_t FoldSum(uint64_t sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  const auto folded = static_cast<uint16_t>(~sum);
  return LoadBe16(reinterpret_cast<const uint8_t*>(&folded));
}

// Checksum is the Internet checksum of `in` (RFC 1071), in host order. Over octets that
// hold a right checksum it is 0.
inline uint16_t Checksum(Octets in) {
  // The sum does not depend on the byte order (RFC 1071 s2.B): it is taken in the machine's.
  uint64_t sum = 0;
  size_t i = 0;
  for (; i + 4 <= in.size(); i += 4) {
    uint32_t word;
    std::memcpy(&word, &in[i], sizeof(word));
    sum += word;
  }
  if (i < in.size()) {
    uint8_t rest[4] = {};
    std::memcpy(rest, &in[i], in.size() - i);
    uint32_t word;
    std::memcpy(&word, rest, sizeof(word));
    sum += word;
  }
  return FoldSum(sum);
}

// PlainHeaderChecksum is that of an IPv4 header without options.
inline uint16_t PlainHeaderChecksum(const uint8_t* header) {
  uint32_t words[5];
  std::memcpy(words, header, sizeof(words));
  return FoldSum(uint64_t{words[0]} + words[1] + words[2] + words[3] + words[4]);
}

// ReadIpv4 does the checks of RFC 1812 s5.2.2 and fills `header`; octets beyond total_len are
// padding. Errors, in the order of the checks: kTruncated (below 20 octets), kBadVersion,
// kBadHeaderLen (IHL below 5), kBadTotalLen (below the header length or beyond `in`),
// kBadChecksum; the last is not looked at when the checksum is `known_good`. It fills the header
// in place: a processor cannot forward small stores to the wide load of a copy and would wait.
[[nodiscard]] inline std::optional<Error> ReadIpv4(Octets in, bool known_good, Ipv4Header* header) {
  if (in.size() < kIpv4HeaderLen) {
    return Error::kTruncated;
  }
  if (in[0] >> 4 != 4) {
    return Error::kBadVersion;
  }
  const auto header_len = static_cast<uint8_t>((in[0] & 0x0f) * 4);
  if (header_len < kIpv4HeaderLen) {
    return Error::kBadHeaderLen;
  }
  const uint16_t total_len = LoadBe16(&in[2]);
  if (total_len < header_len || total_len > in.size()) {
    return Error::kBadTotalLen;
  }
  if (!known_good) {
    const bool is_plain = header_len == kIpv4HeaderLen;
    if ((is_plain ? PlainHeaderChecksum(in.data()) : Checksum(in.first(header_len))) != 0) {
      return Error::kBadChecksum;
    }
  }
  header->header_len = header_len;
  header->tos = in[1];
  header->total_len = total_len;
  header->fragment = LoadBe16(&in[6]);
  header->ttl = in[8];
  header->protocol = in[9];
  header->source = LoadBe32(&in[12]);
  header->destination = LoadBe32(&in[16]);
  return std::nullopt;
}

// ParseIpv4 is ReadIpv4 for where a copy does not matter.
[[nodiscard]] inline tl::expected<Ipv4Header, Error> ParseIpv4(Octets in, bool known_good = false) {
  Ipv4Header header;
  if (const auto error = ReadIpv4(in, known_good, &header)) {
    return tl::unexpected(*error);
  }
  return header;
}

// MakeIpv4Checksum gives the checksum, in host order, of a header without options from its 16-bit
// words' sum: what was just stored in small pieces is better not loaded again.
constexpr uint16_t MakeIpv4Checksum(uint32_t first_words, uint32_t source, uint32_t destination) {
  uint32_t sum = first_words + (source >> 16) + (source & 0xffff) + (destination >> 16) +
                 (destination & 0xffff);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

// UpdateChecksum is RFC 1624 equation 3: a 16-bit word changed from `from` to `to`; host order.
constexpr uint16_t UpdateChecksum(uint16_t checksum, uint16_t from, uint16_t to) {
  uint32_t sum =
      static_cast<uint16_t>(~checksum) + static_cast<uint32_t>(static_cast<uint16_t>(~from)) + to;
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

// DecrementTtl takes one off the TTL of a header that ParseIpv4 accepted with ttl > 1, and
// corrects its checksum.
inline void DecrementTtl(uint8_t* header) {
  const uint16_t from = LoadBe16(header + 8);  // TTL and protocol
  const auto to = static_cast<uint16_t>(from - 0x0100);
  StoreBe16(header + 8, to);
  StoreBe16(header + 10, UpdateChecksum(LoadBe16(header + 10), from, to));
}

// ClampTcpMss lowers the MSS option of a SYN to `mss`; `packet` is a whole IPv4 packet that
// ParseIpv4 accepted. Never raises, never adds. Returns whether it changed something.
bool ClampTcpMss(std::span<uint8_t> packet, const Ipv4Header& header, uint16_t mss);
// ClampSegmentMss: the same for a TCP segment by itself, whichever IP it came in.
bool ClampSegmentMss(std::span<uint8_t> tcp, uint16_t mss);

// Martians (RFC 1812 s5.3.7): addresses that no forwarded packet may have: 0/8, 127/8,
// 169.254/16, 240/4, and as a source 224/4. Host order.
[[nodiscard]] constexpr bool IsMartian(uint32_t address) {
  const uint32_t first = address >> 24;
  return first == 0 || first == 127 || first >= 240 || address >> 16 == 0xa9fe;
}
[[nodiscard]] constexpr bool IsMartianSource(uint32_t address) {
  return IsMartian(address) || address >> 28 == 0xe;  // nor multicast
}
[[nodiscard]] constexpr bool IsMartianDestination(uint32_t address) { return IsMartian(address); }

}  // namespace culvert::wire::ip
