// EAP packets (RFC 3748 s4, s5) and the messages of EAP-MSCHAPv2 (type 26,
// draft-kamath-pppext-eap-mschapv2 s2). In PPP an EAP packet is the whole information field.
#pragma once

#include <cstdint>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "proto/wire/cursor.h"

namespace culvert::wire::eap {

enum Code : uint8_t { kRequest = 1, kResponse = 2, kSuccess = 3, kFailure = 4 };

enum Type : uint8_t {
  kIdentity = 1,
  kNotification = 2,
  kNak = 3,
  kMd5Challenge = 4,
  kTls = 13,
  kMsChapV2 = 26,
  kExpanded = 254,
};

enum class Error : uint8_t {
  kTruncated,
  kBadLength,  // the length is below what its code needs, or beyond the octets there are
  kBadCode,
};

struct Packet {
  uint8_t code = 0;
  uint8_t identifier = 0;
  uint8_t type = 0;  // of a Request or Response; 0 in Success and Failure
  Octets data;       // borrowed; what follows the type
};

// Parse ignores padding after the length (RFC 3748 s4.1). Success and Failure have four octets.
[[nodiscard]] tl::expected<Packet, Error> Parse(Octets in);
// Emit gives the packet without PPP header; type and data only of a Request or Response. At most
// 65,535 octets; data is cut there.
std::vector<uint8_t> Emit(const Packet& packet);

// MD5-Challenge's data (s5.4) has the form of CHAP's: chap::ParseValue, chap::EmitValue.

namespace mschapv2 {

enum OpCode : uint8_t {
  kChallenge = 1,
  kResponse = 2,
  kSuccess = 3,
  kFailure = 4,
  kChangePassword = 7,
};

struct Message {
  uint8_t op_code = 0;
  uint8_t identifier = 0;  // MS-CHAPv2-ID
  Octets data;             // borrowed
};

// Parse takes the data of an EAP packet of type 26. A message of one octet is the answer to a
// Success or Failure Request; what follows such an op code from a peer may be anything.
[[nodiscard]] tl::expected<Message, Error> Parse(Octets type_data);
// Emit gives that data back, with MS-Length; `has_header` false: the op code alone.
std::vector<uint8_t> Emit(const Message& message, bool has_header = true);

}  // namespace mschapv2

}  // namespace culvert::wire::eap
