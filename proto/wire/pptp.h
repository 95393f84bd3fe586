// PPTP control messages (RFC 2637 s2). Integers are in host order here; strings
// are the fixed, NUL-padded fields of the wire, kept whole so that
// Emit(Parse(x)) == x. Reserved fields are emitted as 0 and ignored on receipt.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include "proto/wire/cursor.h"

namespace culvert::wire::pptp {

constexpr uint16_t kPort = 1723;
constexpr uint32_t kMagicCookie = 0x1a2b3c4d;
constexpr uint16_t kVersion = 0x0100;
constexpr size_t kHeaderLen = 12;
constexpr size_t kMaxMessageLen = 220;

enum class MessageType : uint16_t {
  kStartRequest = 1,
  kStartReply = 2,
  kStopRequest = 3,
  kStopReply = 4,
  kEchoRequest = 5,
  kEchoReply = 6,
  kOutgoingCallRequest = 7,
  kOutgoingCallReply = 8,
  kIncomingCallRequest = 9,
  kIncomingCallReply = 10,
  kIncomingCallConnected = 11,
  kCallClearRequest = 12,
  kCallDisconnectNotify = 13,
  kWanErrorNotify = 14,
  kSetLinkInfo = 15,
};

// General error codes (RFC 2637 s2.16); meaningful when the result is 2.
enum class ErrorCode : uint8_t {
  kNone = 0,
  kNotConnected = 1,
  kBadFormat = 2,
  kBadValue = 3,
  kNoResource = 4,
  kBadCallId = 5,
  kPacError = 6,
};

using Name = std::array<uint8_t, 64>;
// ToName cuts `text` at 64 octets and pads with NULs. FromName stops at the first NUL.
Name ToName(std::string_view text);
std::string_view FromName(const Name& name);

// Result codes are plain octets: their meaning depends on the message.
struct StartRequest {  // s2.1
  uint16_t version = kVersion;
  uint32_t framing_capabilities = 0;
  uint32_t bearer_capabilities = 0;
  uint16_t max_channels = 0;
  uint16_t firmware_revision = 0;
  Name host_name{};
  Name vendor{};
  bool operator==(const StartRequest&) const = default;
};
struct StartReply {  // s2.2; result: 1 OK, 2 error, 3 exists, 4 not authorised, 5 version
  uint16_t version = kVersion;
  uint8_t result = 1;
  uint8_t error = 0;
  uint32_t framing_capabilities = 0;
  uint32_t bearer_capabilities = 0;
  uint16_t max_channels = 0;
  uint16_t firmware_revision = 0;
  Name host_name{};
  Name vendor{};
  bool operator==(const StartReply&) const = default;
};
struct StopRequest {  // s2.3; reason: 1 none, 2 protocol, 3 local shutdown
  uint8_t reason = 1;
  bool operator==(const StopRequest&) const = default;
};
struct StopReply {  // s2.4
  uint8_t result = 1;
  uint8_t error = 0;
  bool operator==(const StopReply&) const = default;
};
struct EchoRequest {  // s2.5
  uint32_t identifier = 0;
  bool operator==(const EchoRequest&) const = default;
};
struct EchoReply {  // s2.6
  uint32_t identifier = 0;
  uint8_t result = 1;
  uint8_t error = 0;
  bool operator==(const EchoReply&) const = default;
};
struct OutgoingCallRequest {  // s2.7
  uint16_t call_id = 0;
  uint16_t serial_number = 0;
  uint32_t minimum_bps = 0;
  uint32_t maximum_bps = 0;
  uint32_t bearer_type = 0;
  uint32_t framing_type = 0;
  uint16_t receive_window = 0;    // packets
  uint16_t processing_delay = 0;  // 1/10 s
  uint16_t phone_number_len = 0;
  Name phone_number{};
  Name subaddress{};
  bool operator==(const OutgoingCallRequest&) const = default;
};
struct OutgoingCallReply {  // s2.8; result: 1 connected, 2 error, ..., 7 do not accept
  uint16_t call_id = 0;
  uint16_t peer_call_id = 0;
  uint8_t result = 1;
  uint8_t error = 0;
  uint16_t cause = 0;
  uint32_t connect_speed_bps = 0;
  uint16_t receive_window = 0;
  uint16_t processing_delay = 0;
  uint32_t physical_channel_id = 0;
  bool operator==(const OutgoingCallReply&) const = default;
};
struct IncomingCallRequest {  // s2.9
  uint16_t call_id = 0;
  uint16_t serial_number = 0;
  uint32_t bearer_type = 0;
  uint32_t physical_channel_id = 0;
  uint16_t dialed_number_len = 0;
  uint16_t dialing_number_len = 0;
  Name dialed_number{};
  Name dialing_number{};
  Name subaddress{};
  bool operator==(const IncomingCallRequest&) const = default;
};
struct IncomingCallReply {  // s2.10
  uint16_t call_id = 0;
  uint16_t peer_call_id = 0;
  uint8_t result = 1;
  uint8_t error = 0;
  uint16_t receive_window = 0;
  uint16_t transmit_delay = 0;
  bool operator==(const IncomingCallReply&) const = default;
};
struct IncomingCallConnected {  // s2.11
  uint16_t peer_call_id = 0;
  uint32_t connect_speed_bps = 0;
  uint16_t receive_window = 0;
  uint16_t transmit_delay = 0;
  uint32_t framing_type = 0;
  bool operator==(const IncomingCallConnected&) const = default;
};
struct CallClearRequest {  // s2.12; call_id is the sender's (PNS)
  uint16_t call_id = 0;
  bool operator==(const CallClearRequest&) const = default;
};
struct CallDisconnectNotify {  // s2.13; call_id is the sender's (PAC)
  uint16_t call_id = 0;
  uint8_t result = 0;  // 1 lost carrier, 2 error, 3 admin shutdown, 4 request
  uint8_t error = 0;
  uint16_t cause = 0;
  std::array<uint8_t, 128> statistics{};
  bool operator==(const CallDisconnectNotify&) const = default;
};
struct WanErrorNotify {  // s2.14
  uint16_t peer_call_id = 0;
  uint32_t crc_errors = 0;
  uint32_t framing_errors = 0;
  uint32_t hardware_overruns = 0;
  uint32_t buffer_overruns = 0;
  uint32_t timeout_errors = 0;
  uint32_t alignment_errors = 0;
  bool operator==(const WanErrorNotify&) const = default;
};
struct SetLinkInfo {  // s2.15
  uint16_t peer_call_id = 0;
  uint32_t send_accm = 0xffffffff;
  uint32_t receive_accm = 0xffffffff;
  bool operator==(const SetLinkInfo&) const = default;
};

using Message = std::variant<StartRequest, StartReply, StopRequest, StopReply, EchoRequest,
                             EchoReply, OutgoingCallRequest, OutgoingCallReply, IncomingCallRequest,
                             IncomingCallReply, IncomingCallConnected, CallClearRequest,
                             CallDisconnectNotify, WanErrorNotify, SetLinkInfo>;

enum class Error : uint8_t {
  kIncomplete,  // fewer octets than the header or its length says: wait for more
  kBadLength,   // length field outside 12-220 or not the one of its type
  kBadCookie,
  kBadMessageType,  // not 1 (control)
  kUnknownType,     // a well-formed message of a control type not in 1-15
};
std::string_view ToString(Error error);
std::string_view ToString(MessageType type);
MessageType TypeOf(const Message& message);

// Parse takes the first message of `in`, which may hold more. Cookie and length are
// checked as soon as their octets are there.
[[nodiscard]] tl::expected<Message, Error> Parse(Octets in);

// Emit gives the whole message, header included.
std::vector<uint8_t> Emit(const Message& message);

// StreamParser cuts a TCP stream into messages, however it was segmented. It holds
// at most kMaxMessageLen octets. After an error other than kUnknownType (whose
// message is consumed) every call gives the same error: the connection must close.
class StreamParser {
 public:
  // Next consumes octets from the front of `in` (moving it on) and gives a message, an
  // error, or kIncomplete when `in` is used up.
  [[nodiscard]] tl::expected<Message, Error> Next(Octets& in);

 private:
  std::array<uint8_t, kMaxMessageLen> buffer_{};
  size_t size_ = 0;
  bool failed_ = false;
  Error error_ = Error::kIncomplete;
};

}  // namespace culvert::wire::pptp
