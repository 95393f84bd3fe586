#include "proto/wire/pptp.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "proto/wire/byte_order.h"
#include "tests/vectors/vectors.h"

namespace culvert::wire::pptp {
namespace {

using culvert::testing::FromHex;
using culvert::testing::ToHex;
using culvert::testing::Vectors;
using OctetVector = std::vector<uint8_t>;

constexpr uint16_t kLengths[] = {0,  156, 156, 16, 16, 16,  20, 168,
                                 32, 220, 24,  28, 16, 148, 40, 24};

std::map<std::string, OctetVector> Rows() {
  std::map<std::string, OctetVector> rows;
  for (const auto& [name, hex] : Vectors()["pptp_messages"]["rows"].items()) {
    rows[name] = FromHex(hex.get<std::string>());
  }
  return rows;
}

template <typename T>
T ParseRow(const std::string& name) {
  const auto message = Parse(Rows().at(name));
  EXPECT_TRUE(message.has_value() && std::holds_alternative<T>(*message)) << name;
  return message.has_value() && std::holds_alternative<T>(*message) ? std::get<T>(*message) : T{};
}

// Ramp is a message of `type` whose octet at offset i is i, header aside: so the value of a
// field tells where it was read.
OctetVector Ramp(uint16_t type) {
  OctetVector octets(kLengths[type]);
  for (size_t i = 0; i < octets.size(); ++i) {
    octets[i] = static_cast<uint8_t>(i);
  }
  StoreBe16(&octets[0], kLengths[type]);
  StoreBe16(&octets[2], 1);
  StoreBe32(&octets[4], kMagicCookie);
  StoreBe16(&octets[8], type);
  StoreBe16(&octets[10], 0);
  return octets;
}

template <typename T>
T ParseRamp(MessageType type) {
  const OctetVector octets = Ramp(static_cast<uint16_t>(type));
  const auto message = Parse(octets);
  EXPECT_TRUE(message.has_value());
  EXPECT_EQ(TypeOf(*message), type);
  return std::get<T>(*message);
}

uint16_t At16(size_t offset) { return static_cast<uint16_t>(offset << 8 | (offset + 1)); }
uint32_t At32(size_t offset) {
  return static_cast<uint32_t>(At16(offset)) << 16 | At16(offset + 2);
}
uint8_t At8(size_t offset) { return static_cast<uint8_t>(offset); }

TEST(Pptp, EveryVectorIsEmittedAsItWasParsed) {
  const auto rows = Rows();
  ASSERT_EQ(rows.size(), 18u);
  std::map<MessageType, int> seen;
  for (const auto& [name, octets] : rows) {
    const auto message = Parse(octets);
    ASSERT_TRUE(message.has_value()) << name << ": " << ToString(message.error());
    EXPECT_EQ(static_cast<uint16_t>(TypeOf(*message)), LoadBe16(&octets[8])) << name;
    EXPECT_EQ(ToHex(Emit(*message)), ToHex(octets)) << name;
    EXPECT_EQ(*Parse(Emit(*message)), *message) << name;
    ++seen[TypeOf(*message)];
  }
  EXPECT_EQ(seen.size(), 15u);
}

TEST(Pptp, VectorsHoldTheValuesTheyAreNamedFor) {
  const auto start = ParseRow<StartRequest>("SCCRQ_windows_like");
  EXPECT_EQ(start.version, 0x0100);
  EXPECT_EQ(start.framing_capabilities, 1u);
  EXPECT_EQ(FromName(start.host_name), "");
  EXPECT_EQ(FromName(start.vendor), "Microsoft");
  EXPECT_EQ(FromName(ParseRow<StartReply>("SCCRP_ok").host_name), "vpn.example");
  EXPECT_EQ(ParseRow<StartReply>("SCCRP_version_refused").result, 5);
  EXPECT_EQ(ParseRow<StopRequest>("StopCCRQ_shutdown").reason, 3);
  EXPECT_EQ(ParseRow<EchoReply>("EchoRP").identifier, 0x01020304u);
  const auto call = ParseRow<OutgoingCallRequest>("OCRQ_windows_like");
  EXPECT_EQ(call.call_id, 0x2961);
  EXPECT_EQ(call.maximum_bps, 100000000u);
  EXPECT_EQ(call.bearer_type, 3u);
  EXPECT_EQ(call.receive_window, 64);
  const auto refused = ParseRow<OutgoingCallReply>("OCRP_no_resource");
  EXPECT_EQ(refused.peer_call_id, 0x2961);
  EXPECT_EQ(refused.result, 2);
  EXPECT_EQ(refused.error, static_cast<uint8_t>(ErrorCode::kNoResource));
  EXPECT_EQ(ParseRow<CallDisconnectNotify>("CDN_admin").result, 3);
  EXPECT_EQ(ParseRow<WanErrorNotify>("WEN").alignment_errors, 6u);
  EXPECT_EQ(ParseRow<SetLinkInfo>("SLI_default").send_accm, 0xffffffffu);
}

TEST(Pptp, FieldsOfTheStartMessagesAreWhereTheRfcPutsThem) {
  const auto request = ParseRamp<StartRequest>(MessageType::kStartRequest);
  EXPECT_EQ(request.version, At16(12));
  EXPECT_EQ(request.framing_capabilities, At32(16));
  EXPECT_EQ(request.bearer_capabilities, At32(20));
  EXPECT_EQ(request.max_channels, At16(24));
  EXPECT_EQ(request.firmware_revision, At16(26));
  EXPECT_EQ(request.host_name[0], 28);
  EXPECT_EQ(request.vendor[63], 155);
  const auto reply = ParseRamp<StartReply>(MessageType::kStartReply);
  EXPECT_EQ(reply.version, At16(12));
  EXPECT_EQ(reply.result, At8(14));
  EXPECT_EQ(reply.error, At8(15));
  EXPECT_EQ(reply.framing_capabilities, At32(16));
  EXPECT_EQ(reply.bearer_capabilities, At32(20));
  EXPECT_EQ(reply.max_channels, At16(24));
  EXPECT_EQ(reply.firmware_revision, At16(26));
  EXPECT_EQ(reply.host_name[63], 91);
  EXPECT_EQ(reply.vendor[0], 92);
}

TEST(Pptp, FieldsOfTheStopAndEchoMessagesAreWhereTheRfcPutsThem) {
  EXPECT_EQ(ParseRamp<StopRequest>(MessageType::kStopRequest).reason, At8(12));
  const auto stop = ParseRamp<StopReply>(MessageType::kStopReply);
  EXPECT_EQ(stop.result, At8(12));
  EXPECT_EQ(stop.error, At8(13));
  EXPECT_EQ(ParseRamp<EchoRequest>(MessageType::kEchoRequest).identifier, At32(12));
  const auto echo = ParseRamp<EchoReply>(MessageType::kEchoReply);
  EXPECT_EQ(echo.identifier, At32(12));
  EXPECT_EQ(echo.result, At8(16));
  EXPECT_EQ(echo.error, At8(17));
}

TEST(Pptp, FieldsOfTheOutgoingCallAreWhereTheRfcPutsThem) {
  const auto request = ParseRamp<OutgoingCallRequest>(MessageType::kOutgoingCallRequest);
  EXPECT_EQ(request.call_id, At16(12));
  EXPECT_EQ(request.serial_number, At16(14));
  EXPECT_EQ(request.minimum_bps, At32(16));
  EXPECT_EQ(request.maximum_bps, At32(20));
  EXPECT_EQ(request.bearer_type, At32(24));
  EXPECT_EQ(request.framing_type, At32(28));
  EXPECT_EQ(request.receive_window, At16(32));
  EXPECT_EQ(request.processing_delay, At16(34));
  EXPECT_EQ(request.phone_number_len, At16(36));
  EXPECT_EQ(request.phone_number[0], 40);
  EXPECT_EQ(request.subaddress[63], 167);
  const auto reply = ParseRamp<OutgoingCallReply>(MessageType::kOutgoingCallReply);
  EXPECT_EQ(reply.call_id, At16(12));
  EXPECT_EQ(reply.peer_call_id, At16(14));
  EXPECT_EQ(reply.result, At8(16));
  EXPECT_EQ(reply.error, At8(17));
  EXPECT_EQ(reply.cause, At16(18));
  EXPECT_EQ(reply.connect_speed_bps, At32(20));
  EXPECT_EQ(reply.receive_window, At16(24));
  EXPECT_EQ(reply.processing_delay, At16(26));
  EXPECT_EQ(reply.physical_channel_id, At32(28));
}

TEST(Pptp, FieldsOfTheIncomingCallAreWhereTheRfcPutsThem) {
  const auto request = ParseRamp<IncomingCallRequest>(MessageType::kIncomingCallRequest);
  EXPECT_EQ(request.call_id, At16(12));
  EXPECT_EQ(request.serial_number, At16(14));
  EXPECT_EQ(request.bearer_type, At32(16));
  EXPECT_EQ(request.physical_channel_id, At32(20));
  EXPECT_EQ(request.dialed_number_len, At16(24));
  EXPECT_EQ(request.dialing_number_len, At16(26));
  EXPECT_EQ(request.dialed_number[0], 28);
  EXPECT_EQ(request.dialing_number[0], 92);
  EXPECT_EQ(request.subaddress[0], 156);
  const auto reply = ParseRamp<IncomingCallReply>(MessageType::kIncomingCallReply);
  EXPECT_EQ(reply.call_id, At16(12));
  EXPECT_EQ(reply.peer_call_id, At16(14));
  EXPECT_EQ(reply.result, At8(16));
  EXPECT_EQ(reply.error, At8(17));
  EXPECT_EQ(reply.receive_window, At16(18));
  EXPECT_EQ(reply.transmit_delay, At16(20));
  const auto connected = ParseRamp<IncomingCallConnected>(MessageType::kIncomingCallConnected);
  EXPECT_EQ(connected.peer_call_id, At16(12));
  EXPECT_EQ(connected.connect_speed_bps, At32(16));
  EXPECT_EQ(connected.receive_window, At16(20));
  EXPECT_EQ(connected.transmit_delay, At16(22));
  EXPECT_EQ(connected.framing_type, At32(24));
}

TEST(Pptp, FieldsOfTheOtherCallMessagesAreWhereTheRfcPutsThem) {
  EXPECT_EQ(ParseRamp<CallClearRequest>(MessageType::kCallClearRequest).call_id, At16(12));
  const auto notify = ParseRamp<CallDisconnectNotify>(MessageType::kCallDisconnectNotify);
  EXPECT_EQ(notify.call_id, At16(12));
  EXPECT_EQ(notify.result, At8(14));
  EXPECT_EQ(notify.error, At8(15));
  EXPECT_EQ(notify.cause, At16(16));
  EXPECT_EQ(notify.statistics[0], 20);
  EXPECT_EQ(notify.statistics[127], 147);
  const auto wan = ParseRamp<WanErrorNotify>(MessageType::kWanErrorNotify);
  EXPECT_EQ(wan.peer_call_id, At16(12));
  EXPECT_EQ(wan.crc_errors, At32(16));
  EXPECT_EQ(wan.framing_errors, At32(20));
  EXPECT_EQ(wan.hardware_overruns, At32(24));
  EXPECT_EQ(wan.buffer_overruns, At32(28));
  EXPECT_EQ(wan.timeout_errors, At32(32));
  EXPECT_EQ(wan.alignment_errors, At32(36));
  const auto link = ParseRamp<SetLinkInfo>(MessageType::kSetLinkInfo);
  EXPECT_EQ(link.peer_call_id, At16(12));
  EXPECT_EQ(link.send_accm, At32(16));
  EXPECT_EQ(link.receive_accm, At32(20));
}

TEST(Pptp, ReservedFieldsAreIgnoredAndEmittedAsZero) {
  // Offset and length of the reserved fields behind the header, by type (s2.1 to s2.15).
  const std::map<uint16_t, std::pair<size_t, size_t>> reserved = {
      {1, {14, 2}},  {3, {13, 3}},  {4, {14, 2}},  {6, {18, 2}},  {7, {38, 2}}, {10, {22, 2}},
      {11, {14, 2}}, {12, {14, 2}}, {13, {18, 2}}, {14, {14, 2}}, {15, {14, 2}}};
  for (uint16_t type = 1; type <= 15; ++type) {
    OctetVector octets = Ramp(type);
    StoreBe16(&octets[10], 0xffff);
    OctetVector expected = Ramp(type);
    if (const auto it = reserved.find(type); it != reserved.end()) {
      std::fill_n(expected.begin() + static_cast<ptrdiff_t>(it->second.first), it->second.second,
                  0);
    }
    const auto message = Parse(octets);
    ASSERT_TRUE(message.has_value()) << type;
    EXPECT_EQ(ToHex(Emit(*message)), ToHex(expected)) << type;
  }
}

TEST(Pptp, EveryTruncationIsIncomplete) {
  for (const auto& [name, octets] : Rows()) {
    for (size_t len = 0; len < octets.size(); ++len) {
      const OctetVector cut(octets.begin(), octets.begin() + static_cast<ptrdiff_t>(len));
      const auto message = Parse(cut);
      ASSERT_FALSE(message.has_value()) << name << ' ' << len;
      EXPECT_EQ(message.error(), Error::kIncomplete) << name << ' ' << len;
    }
  }
}

TEST(Pptp, OctetsOfTheNextMessageAreLeftAlone) {
  OctetVector octets = Rows().at("EchoRQ");
  octets.insert(octets.end(), {0xff, 0xff, 0xff});
  EXPECT_TRUE(Parse(octets).has_value());
}

Error ErrorOf(OctetVector octets) {
  const auto message = Parse(octets);
  EXPECT_FALSE(message.has_value());
  return message.has_value() ? Error::kIncomplete : message.error();
}

TEST(Pptp, EveryErrorIsFoundAsSoonAsItsOctetsAreThere) {
  const OctetVector good = Rows().at("EchoRQ");
  for (const uint16_t length : {0, 1, 11, 221, 0x4745, 0xffff}) {
    OctetVector bad(2);
    StoreBe16(bad.data(), length);
    EXPECT_EQ(ErrorOf(bad), Error::kBadLength) << length;
  }
  for (const uint16_t length : {12, 15, 17, 20, 220}) {  // in range, but not Echo-Request's
    OctetVector bad(good.begin(), good.begin() + 12);
    StoreBe16(bad.data(), length);
    EXPECT_EQ(ErrorOf(bad), Error::kBadLength) << length;
  }
  for (size_t at = 4; at < 8; ++at) {
    OctetVector bad(good.begin(), good.begin() + 8);
    bad[at] ^= 1;
    EXPECT_EQ(ErrorOf(bad), Error::kBadCookie) << at;
  }
  for (const uint16_t type : {0, 2, 3, 0x0101}) {
    OctetVector bad(good.begin(), good.begin() + 8);
    StoreBe16(&bad[2], type);
    EXPECT_EQ(ErrorOf(bad), Error::kBadMessageType) << type;
  }
  for (const uint16_t type : {0, 16, 17, 0x0100, 0xffff}) {
    OctetVector bad = good;
    StoreBe16(&bad[8], type);
    EXPECT_EQ(ErrorOf(bad), Error::kUnknownType) << type;
    bad.pop_back();
    EXPECT_EQ(ErrorOf(bad), Error::kIncomplete) << type;
  }
}

TEST(Pptp, NamesAreCutPaddedAndNeedNoTerminator) {
  EXPECT_EQ(FromName(ToName("culvert")), "culvert");
  EXPECT_EQ(FromName(ToName("")), "");
  EXPECT_EQ(FromName(ToName(std::string(64, 'x'))), std::string(64, 'x'));
  EXPECT_EQ(FromName(ToName(std::string(65, 'x'))), std::string(64, 'x'));
  EXPECT_EQ(ToName("ab")[2], 0);
  EXPECT_EQ(ToName("ab")[63], 0);
}

TEST(Pptp, EveryTypeAndErrorHasAName) {
  std::map<std::string_view, int> names;
  for (uint16_t type = 1; type <= 15; ++type) {
    ++names[ToString(static_cast<MessageType>(type))];
  }
  for (int error = 0; error <= static_cast<int>(Error::kUnknownType); ++error) {
    ++names[ToString(static_cast<Error>(error))];
  }
  EXPECT_EQ(names.size(), 20u);
  EXPECT_EQ(ToString(MessageType::kSetLinkInfo), "Set-Link-Info");
  EXPECT_EQ(ToString(static_cast<MessageType>(0)), "unknown message");
  EXPECT_EQ(ToString(static_cast<MessageType>(16)), "unknown message");
}

}  // namespace
}  // namespace culvert::wire::pptp
