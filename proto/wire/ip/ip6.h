// IPv6 as far as a forwarder needs it (RFC 8200).
#pragma once

#include <array>
#include <cstdint>
#include <tl/expected.hpp>

#include "proto/wire/byte_order.h"
#include "proto/wire/cursor.h"

namespace culvert::wire::ip6 {

constexpr size_t kHeaderLen = 40;
constexpr uint16_t kMinMtu = 1280;

// Protocol numbers that matter here; the first six are extension headers.
constexpr uint8_t kHopByHop = 0;
constexpr uint8_t kRouting = 43;
constexpr uint8_t kFragment = 44;
constexpr uint8_t kAuthentication = 51;
constexpr uint8_t kDestinationOptions = 60;
constexpr uint8_t kMobility = 135;
constexpr uint8_t kTcp = 6;
constexpr uint8_t kUdp = 17;
constexpr uint8_t kIcmp = 58;
constexpr uint8_t kNoNextHeader = 59;

using Address = std::array<uint8_t, 16>;  // network order

struct Header {
  uint8_t traffic_class = 0;
  uint8_t next_header = 0;
  uint8_t hop_limit = 0;
  uint32_t flow_label = 0;   // 20 bits
  uint16_t payload_len = 0;  // octets, without this header
  Address source{};
  Address destination{};
  [[nodiscard]] size_t TotalLen() const { return kHeaderLen + payload_len; }
};

enum class Error : uint8_t { kTruncated, kBadVersion, kBadPayloadLen, kBadExtension };

// Parse reads the fixed header; octets beyond TotalLen() are padding. Errors, in the order of the
// checks: kTruncated (below 40 octets), kBadVersion, kBadPayloadLen (beyond `in`). A jumbogram
// (RFC 2675) is a packet without payload here.
[[nodiscard]] tl::expected<Header, Error> Parse(Octets in);

// Emit writes kHeaderLen octets.
void Emit(const Header& header, uint8_t* out);

// Upper is where the walk along the extension headers ended.
struct Upper {
  uint8_t protocol = kNoNextHeader;
  uint16_t offset = 0;             // of its header, from the packet's start
  uint16_t fragment_offset = 0;    // octets
  bool is_fragment = false;        // there is a fragment header
  bool has_routing_type0 = false;  // RFC 5095: must not be forwarded along
  [[nodiscard]] bool IsFirstFragment() const { return fragment_offset == 0; }
};

// FindUpper walks to the first header that is not an extension header; after a non-first fragment
// the walk ends at its data, and `protocol` is what the fragment header says. `packet` is what
// Parse accepted. Errors: kBadExtension (a header beyond the packet, or more than 8 of them).
[[nodiscard]] tl::expected<Upper, Error> FindUpper(const Header& header, Octets packet);

// Checksum is the pseudo-header's and the payload's checksum (RFC 8200 s8.1), host order: 0 over a
// payload that holds a right one.
[[nodiscard]] uint16_t Checksum(const Address& source, const Address& destination, uint8_t protocol,
                                Octets payload);

// Kinds of addresses (RFC 4291 s2.4).
[[nodiscard]] bool IsUnspecified(const Address& address);
[[nodiscard]] bool IsLoopback(const Address& address);
[[nodiscard]] constexpr bool IsMulticast(const Address& address) { return address[0] == 0xff; }
[[nodiscard]] constexpr bool IsLinkLocal(const Address& address) {
  return address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}
[[nodiscard]] bool IsIpv4Mapped(const Address& address);

// Addresses that no forwarded packet may have. Link-local ones are no martians, but do not leave
// their link.
[[nodiscard]] bool IsMartianSource(const Address& address);
[[nodiscard]] bool IsMartianDestination(const Address& address);

}  // namespace culvert::wire::ip6
