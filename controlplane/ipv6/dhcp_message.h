// DHCPv6 messages between client and server (RFC 8415), as far as a server of addresses, delegated
// prefixes and name servers needs them. Relay messages are none of these.
#pragma once

#include <cstdint>
#include <optional>
#include <tl/expected.hpp>
#include <vector>

#include "proto/config/address/address6.h"
#include "proto/wire/cursor.h"

namespace culvert::ipv6 {

enum class DhcpType : uint8_t {
  kSolicit = 1,
  kAdvertise = 2,
  kRequest = 3,
  kConfirm = 4,
  kRenew = 5,
  kRebind = 6,
  kReply = 7,
  kRelease = 8,
  kDecline = 9,
  kReconfigure = 10,
  kInformationRequest = 11,
};

enum class DhcpStatus : uint16_t {  // RFC 8415 s21.13
  kSuccess = 0,
  kUnspecFail = 1,
  kNoAddrsAvail = 2,
  kNoBinding = 3,
  kNotOnLink = 4,
  kUseMulticast = 5,
  kNoPrefixAvail = 6,
};

constexpr uint16_t kDhcpOptionDns = 23;  // RFC 3646 s3

// DhcpLease is an address (length 128) in an IA_NA, a prefix in an IA_PD (s21.6, s21.22).
struct DhcpLease {
  config::Ipv6Prefix prefix;
  uint32_t preferred_s = 0, valid_s = 0;
  bool operator==(const DhcpLease&) const = default;
};

// DhcpAssociation is an IA_NA or an IA_PD (s21.4, s21.21).
struct DhcpAssociation {
  uint32_t id = 0;
  uint32_t t1_s = 0, t2_s = 0;
  std::vector<DhcpLease> leases;
  std::optional<DhcpStatus> status;
  bool operator==(const DhcpAssociation&) const = default;
};

struct DhcpMessage {
  DhcpType type = DhcpType::kSolicit;
  uint32_t transaction_id = 0;                // 24 bits
  std::vector<uint8_t> client_id, server_id;  // DUIDs (s11); empty: absent
  std::vector<DhcpAssociation> addresses, prefixes;
  std::vector<uint16_t> requested;  // options; s21.7
  std::vector<config::Ipv6Address> dns;
  std::optional<uint8_t> preference;
  std::optional<DhcpStatus> status;
  bool rapid_commit = false;
  bool operator==(const DhcpMessage&) const = default;
};

enum class DhcpError : uint8_t {
  kTruncated,  // no message header
  kBadType,    // not one of DhcpType
  kBadOption,  // its length is impossible, or beyond the message
  kBadDuid,    // no octets or more than 130
  kTooMany,    // more than 8 associations, leases in one, or name servers; 64 requested options
  kRepeated,   // what may be there once is there twice
};

// ParseDhcp takes a UDP payload. Options that are not named above are skipped, wherever they stand.
[[nodiscard]] tl::expected<DhcpMessage, DhcpError> ParseDhcp(wire::Octets in);
// EmitDhcp is its inverse.
[[nodiscard]] std::vector<uint8_t> EmitDhcp(const DhcpMessage& message);

}  // namespace culvert::ipv6
