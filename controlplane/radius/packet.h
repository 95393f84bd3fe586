// RADIUS packets as they are read (RFC 2865 s3, s5). Any thread; what is parsed borrows from the
// octets it was parsed from.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "controlplane/radius/attributes.h"

namespace culvert::radius {

using Octets = std::span<const uint8_t>;
using AuthenticatorOctets = std::array<uint8_t, 16>;  // the header's field

enum class Code : uint8_t {
  kAccessRequest = 1,
  kAccessAccept = 2,
  kAccessReject = 3,
  kAccountingRequest = 4,
  kAccountingResponse = 5,
  kAccessChallenge = 11,
  kStatusServer = 12,  // RFC 5997
  kDisconnectRequest = 40,
  kDisconnectAck = 41,
  kDisconnectNak = 42,
  kCoaRequest = 43,
  kCoaAck = 44,
  kCoaNak = 45,
};

// CodeName is "Access-Request" and so on, or "unknown".
[[nodiscard]] std::string_view CodeName(Code code);

constexpr size_t kHeaderLen = 20;
constexpr size_t kMaxPacketLen = 4096;
constexpr size_t kMaxValueLen = 253;
constexpr size_t kMaxVendorValueLen = 247;
constexpr size_t kAuthenticatorOffset = 4;

enum class PacketError : uint8_t {
  kTruncated,     // fewer octets than the header or its Length say
  kBadLength,     // Length below 20 or above 4096
  kBadAttribute,  // an attribute's length is below 2 or goes past the packet
  kEmptyValue,    // RFC 2865 s5: such an attribute must not be sent
  kValueTooLong,
  kPacketTooLong,
  kBadTag,  // above 0x1f (RFC 2868 s3)
};

// ErrorText is a few words for logs.
[[nodiscard]] std::string_view ErrorText(PacketError error);

struct Attribute {
  AttributeId id;
  Octets value;
};

struct Packet {
  Code code{};
  uint8_t identifier = 0;
  AuthenticatorOctets authenticator{};
  Octets octets;  // the packet, without what followed its Length
  // In order. A vendor's attribute is there once for each attribute in it, or with type 0 when it
  // is no list of them.
  std::vector<Attribute> attributes;

  // Find is the first of them.
  [[nodiscard]] const Attribute* Find(AttributeId id) const;
  [[nodiscard]] size_t Count(AttributeId id) const;
  // Join puts the values of all of them together: EAP-Message (RFC 3579 s3.1).
  [[nodiscard]] std::vector<uint8_t> Join(AttributeId id) const;
  // JoinTexts is Join with `separator` between them; empty: there is none.
  [[nodiscard]] std::string JoinTexts(AttributeId id, char separator) const;
};

// Parse: what follows the header's Length is ignored (RFC 2865 s3).
[[nodiscard]] tl::expected<Packet, PacketError> Parse(Octets in);

// Values. nullopt: the octets do not have the length or form of the type.
[[nodiscard]] std::optional<uint32_t> IntegerOf(Octets value);  // also time and IPv4 addresses
[[nodiscard]] std::string_view TextOf(Octets value);
struct TaggedInteger {
  uint8_t tag = 0;  // 0: none
  uint32_t value = 0;
};
[[nodiscard]] std::optional<TaggedInteger> TaggedIntegerOf(Octets value);  // RFC 2868 s3.1
struct TaggedText {
  uint8_t tag = 0;
  std::string_view value;
};
// TaggedTextOf: a first octet above 0x1f is no tag (RFC 2868 s3.3).
[[nodiscard]] TaggedText TaggedTextOf(Octets value);
struct Ipv6PrefixValue {
  std::array<uint8_t, 16> address{};
  uint8_t length = 0;  // bits
};
// Ipv6PrefixOf (RFC 3162 s2.3): nullopt also when bits after the length are set.
[[nodiscard]] std::optional<Ipv6PrefixValue> Ipv6PrefixOf(Octets value);

}  // namespace culvert::radius
