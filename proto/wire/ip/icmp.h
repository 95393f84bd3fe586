// ICMP and ICMPv6 error messages, as a router sends and reads them: RFC 792, RFC 1191, RFC 1812
// s4.3, RFC 4443.
#pragma once

#include <cstdint>
#include <span>
#include <tl/expected.hpp>

#include "proto/wire/ip/ip.h"
#include "proto/wire/ip/ip6.h"

namespace culvert::wire::icmp {

constexpr uint8_t kProtocol = 1;
constexpr size_t kHeaderLen = 8;
// Most octets of a packet with an error in it (RFC 1812 s4.3.2.3; RFC 4443 s2.4c).
constexpr size_t kMaxErrorPacketLen = 576;
constexpr size_t kMaxErrorPacketLenV6 = ip6::kMinMtu;

// Message is an error without what it quotes.
struct Message {
  uint8_t type = 0;
  uint8_t code = 0;
  uint32_t mtu = 0;  // octets: of fragmentation needed and packet too big, else 0
  bool operator==(const Message&) const = default;
};

constexpr Message kNetworkUnreachable{3, 0};
constexpr Message kHostUnreachable{3, 1};
constexpr Message kProhibited{3, 13};
constexpr Message kTimeExceeded{11, 0};
constexpr Message FragmentationNeeded(uint16_t mtu) { return {3, 4, mtu}; }

constexpr Message kNoRouteV6{1, 0};
constexpr Message kProhibitedV6{1, 1};
constexpr Message kAddressUnreachableV6{1, 3};
constexpr Message kTimeExceededV6{3, 0};
constexpr Message PacketTooBigV6(uint32_t mtu) { return {2, 0, mtu}; }

// MayAnswer says whether an error about this packet may be sent at all (RFC 1812 s4.3.2.7): not
// about an ICMP error or a type unknown to us, a fragment but the first, a packet to several hosts
// or from none. `packet` is what ParseIpv4 accepted.
[[nodiscard]] bool MayAnswer(const ip::Ipv4Header& header, Octets packet);
// MayAnswerV6 is RFC 4443 s2.4e; a packet too big is told of even when it was for a group.
[[nodiscard]] bool MayAnswerV6(const ip6::Header& header, Octets packet, const Message& message);

// ErrorPacketLen is what EmitErrorPacket will write about a packet of `len` octets.
[[nodiscard]] constexpr size_t ErrorPacketLen(size_t len) {
  constexpr size_t kMaxQuote = kMaxErrorPacketLen - ip::kIpv4HeaderLen - kHeaderLen;
  return ip::kIpv4HeaderLen + kHeaderLen + (len < kMaxQuote ? len : kMaxQuote);
}
[[nodiscard]] constexpr size_t ErrorPacketLenV6(size_t len) {
  constexpr size_t kMaxQuote = kMaxErrorPacketLenV6 - ip6::kHeaderLen - kHeaderLen;
  return ip6::kHeaderLen + kHeaderLen + (len < kMaxQuote ? len : kMaxQuote);
}

// EmitErrorPacket writes a whole IPv4 packet, TTL 64, precedence 6 (RFC 1812 s4.3.2.5), that quotes
// as much of `packet` as fits. Addresses in host order. Returns its length, 0 when `out` has not
// ErrorPacketLen octets. `out` and `packet` do not overlap.
size_t EmitErrorPacket(const Message& message, uint32_t source, uint32_t destination, uint16_t id,
                       Octets packet, std::span<uint8_t> out);
// EmitErrorPacketV6: the same for IPv6, hop limit 64.
size_t EmitErrorPacketV6(const Message& message, const ip6::Address& source,
                         const ip6::Address& destination, Octets packet, std::span<uint8_t> out);

enum class ParseError : uint8_t { kTruncated, kBadChecksum, kNotAnError, kBadQuote };

// Quoted is an error and the head of the packet that it is about.
struct Quoted {
  Message message;
  uint8_t protocol = 0;
  uint32_t source = 0;  // host order
  uint32_t destination = 0;
  uint16_t total_len = 0;
  bool is_first_fragment = false;
  Octets payload;  // what there is of it; borrows the input
};
// Parse reads an ICMP message from its type on. Errors, in the order of the checks: kTruncated (no
// header), kNotAnError (a type that is none), kBadChecksum, kBadQuote (no IPv4 header in it). The
// quoted header's checksum is not looked at: routers forget to restore it.
[[nodiscard]] tl::expected<Quoted, ParseError> Parse(Octets in);

}  // namespace culvert::wire::icmp
