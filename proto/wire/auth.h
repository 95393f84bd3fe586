// PAP (RFC 1334 s2) and CHAP (RFC 1994 s4; MS-CHAP: RFC 2433, RFC 2759) packets' data,
// that is, what follows the four octets of ppp::ControlPacket.
#pragma once

#include <cstdint>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "proto/wire/cursor.h"

namespace culvert::wire {

enum class AuthError : uint8_t { kTruncated, kBadLength };

namespace pap {
enum Code : uint8_t { kRequest = 1, kAck = 2, kNak = 3 };

struct Request {
  std::string_view peer_id;   // borrowed
  std::string_view password;  // borrowed; wipe the frame when done
};
[[nodiscard]] tl::expected<Request, AuthError> ParseRequest(Octets data);
std::vector<uint8_t> EmitRequest(const Request& request);
// An Ack's or Nak's data: one length octet and a message of at most 255 octets.
[[nodiscard]] tl::expected<std::string_view, AuthError> ParseReply(Octets data);
std::vector<uint8_t> EmitReply(std::string_view message);
}  // namespace pap

namespace chap {
enum Code : uint8_t {
  kChallenge = 1,
  kResponse = 2,
  kSuccess = 3,
  kFailure = 4,
  kChangePassword = 7,  // MS-CHAPv2 only
};
enum Algorithm : uint8_t { kMd5 = 5, kMsChap = 0x80, kMsChapV2 = 0x81 };

// Challenge and Response share a form: value size, value, name.
struct Value {
  Octets value;           // borrowed; 1-255 octets
  std::string_view name;  // borrowed
};
[[nodiscard]] tl::expected<Value, AuthError> ParseValue(Octets data);
std::vector<uint8_t> EmitValue(const Value& value);

constexpr size_t kMsChapResponseLen = 49;
// The 49-octet Response values (RFC 2433 s6, RFC 2759 s4). Spans borrow `value`.
struct MsChapResponse {
  std::span<const uint8_t, 24> lm_response;
  std::span<const uint8_t, 24> nt_response;
  uint8_t flags;  // 1: use the NT response
};
struct MsChapV2Response {
  std::span<const uint8_t, 16> peer_challenge;
  std::span<const uint8_t, 24> nt_response;
  uint8_t flags;
};
[[nodiscard]] tl::expected<MsChapResponse, AuthError> ParseMsChapResponse(Octets value);
[[nodiscard]] tl::expected<MsChapV2Response, AuthError> ParseMsChapV2Response(Octets value);

constexpr size_t kChangePasswordLen = 582;
// Change-Password's data (RFC 2759 s7). Spans borrow `data`.
struct ChangePassword {
  std::span<const uint8_t, 516> encrypted_password;
  std::span<const uint8_t, 16> encrypted_hash;
  std::span<const uint8_t, 16> peer_challenge;
  std::span<const uint8_t, 24> nt_response;
  uint16_t flags;
};
[[nodiscard]] tl::expected<ChangePassword, AuthError> ParseChangePassword(Octets data);
}  // namespace chap

}  // namespace culvert::wire
