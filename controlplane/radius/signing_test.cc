#include "controlplane/radius/signing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "controlplane/radius/hiding.h"
#include "tests/vectors/vectors.h"

namespace culvert::radius {
namespace {

using culvert::testing::FromHex;
using culvert::testing::ToHex;
using culvert::testing::Vectors;
using Bytes = std::vector<uint8_t>;

Bytes BytesOf(const std::string& text) { return {text.begin(), text.end()}; }
const Bytes kSecret = BytesOf("testing123");

Bytes VectorOf(const char* group, const char* name) {
  return FromHex(Vectors()[group][name].get<std::string>());
}

// The attributes after the Message-Authenticator, or all.
AttributeList AttributesOf(const Bytes& packet, bool message_authenticator) {
  const size_t from = kHeaderLen + (message_authenticator ? 18 : 0);
  return *AttributeList::FromOctets(Octets(packet).subspan(from));
}

TEST(RadiusSigning, BuildsTheAccessRequestOfTheVectors) {
  const Bytes expected = VectorOf("radius_mschapv2_exchange", "access_request");
  RequestParts parts{.code = Code::kAccessRequest, .identifier = 42};
  std::copy_n(expected.begin() + kAuthenticatorOffset, 16, parts.authenticator.begin());
  const auto built = BuildRequest(parts, AttributesOf(expected, true), kSecret);
  ASSERT_TRUE(built.has_value());
  EXPECT_EQ(ToHex(*built), ToHex(expected));
  EXPECT_EQ(CheckRequestMessageAuthenticator(*Parse(*built), kSecret),
            MessageAuthenticatorCheck::kValid);
}

TEST(RadiusSigning, BuildsAndChecksTheAcceptOfTheVectors) {
  const Bytes request = VectorOf("radius_mschapv2_exchange", "access_request");
  const Bytes expected = VectorOf("radius_mschapv2_exchange", "access_accept");
  const Packet asked = *Parse(request);
  const auto built =
      BuildReply(Code::kAccessAccept, asked, AttributesOf(expected, true), true, kSecret);
  ASSERT_TRUE(built.has_value());
  EXPECT_EQ(ToHex(*built), ToHex(expected));
  const Packet reply = *Parse(*built);
  EXPECT_TRUE(IsSignedReply(reply, asked.authenticator, kSecret));
  EXPECT_EQ(CheckReplyMessageAuthenticator(reply, asked.authenticator, kSecret),
            MessageAuthenticatorCheck::kValid);
}

// RFC 2865 s7: the replies' authenticators are right, the passwords come out.
TEST(RadiusSigning, ExamplesOfTheRfc) {
  const Bytes secret = BytesOf("xyzzy5461");
  size_t replies = 0, passwords = 0;
  for (const auto& row : Vectors()["rfc2865_7"]["rows"]) {
    const Bytes octets = FromHex(row["packet"].get<std::string>());
    const auto packet = Parse(octets);
    if (row["name"] == "7.3 Access-Request 2") {  // the RFC prints 16 as the length of 8 octets
      EXPECT_EQ(packet.error(), PacketError::kBadAttribute);
      continue;
    }
    ASSERT_TRUE(packet.has_value()) << row["name"];
    if (row.contains("request_authenticator")) {
      AuthenticatorOctets request{};
      const Bytes from = FromHex(row["request_authenticator"].get<std::string>());
      std::copy(from.begin(), from.end(), request.begin());
      EXPECT_TRUE(IsSignedReply(*packet, request, secret)) << row["name"];
      ++replies;
    }
    if (row.contains("user_password")) {
      const auto password =
          RevealPassword(packet->Find(attr::kUserPassword)->value, secret, packet->authenticator);
      ASSERT_TRUE(password.has_value());
      EXPECT_EQ(TextOf(password->octets()).substr(0, TextOf(password->octets()).find('\0')),
                row["user_password"].get<std::string>());
      ++passwords;
    }
  }
  EXPECT_EQ(replies, 4u);
  EXPECT_EQ(passwords, 2u);
}

// Every octet counts: one that is changed anywhere spoils the reply.
TEST(RadiusSigning, AChangedOctetIsNoticed) {
  const Packet asked = *Parse(VectorOf("radius_mschapv2_exchange", "access_request"));
  const AuthenticatorOctets authenticator = asked.authenticator;
  const Bytes accept = VectorOf("radius_mschapv2_exchange", "access_accept");
  for (size_t i = 0; i < accept.size(); ++i) {
    Bytes changed = accept;
    changed[i] ^= 0x40;
    const auto reply = Parse(changed);
    if (reply.has_value()) {
      EXPECT_FALSE(IsSignedReply(*reply, authenticator, kSecret)) << i;
      if (i < 4 || i >= kHeaderLen) {  // the Response Authenticator is not part of it
        EXPECT_NE(CheckReplyMessageAuthenticator(*reply, authenticator, kSecret),
                  MessageAuthenticatorCheck::kValid)
            << i;
      }
    }
  }
  EXPECT_FALSE(IsSignedReply(*Parse(accept), authenticator, BytesOf("testing124")));
}

TEST(RadiusSigning, AccountingAndDisconnectOfTheVectors) {
  struct Case {
    const char *group, *request, *reply;
    Code code, reply_code;
  };
  for (const Case& c : {Case{"radius_accounting", "accounting_request_start", "accounting_response",
                             Code::kAccountingRequest, Code::kAccountingResponse},
                        Case{"radius_disconnect", "disconnect_request", "disconnect_ack",
                             Code::kDisconnectRequest, Code::kDisconnectAck},
                        Case{"radius_disconnect", "disconnect_request", "disconnect_nak_503",
                             Code::kDisconnectRequest, Code::kDisconnectNak}}) {
    const Bytes expected = VectorOf(c.group, c.request);
    const auto request = BuildRequest({.code = c.code, .identifier = expected[1]},
                                      AttributesOf(expected, false), kSecret);
    ASSERT_TRUE(request.has_value());
    EXPECT_EQ(ToHex(*request), ToHex(expected));
    const Packet asked = *Parse(*request);
    EXPECT_TRUE(IsSignedRequest(asked, kSecret));
    EXPECT_FALSE(IsSignedRequest(asked, BytesOf("wrong")));
    const Bytes expected_reply = VectorOf(c.group, c.reply);
    const auto reply =
        BuildReply(c.reply_code, asked, AttributesOf(expected_reply, false), false, kSecret);
    ASSERT_TRUE(reply.has_value());
    EXPECT_EQ(ToHex(*reply), ToHex(expected_reply));
    EXPECT_TRUE(IsSignedReply(*Parse(*reply), asked.authenticator, kSecret));
    EXPECT_EQ(CheckReplyMessageAuthenticator(*Parse(*reply), asked.authenticator, kSecret),
              MessageAuthenticatorCheck::kAbsent);
  }
}

// RFC 5176 s2.3 and RFC 2869: first the Message-Authenticator over zeros, then the authenticator.
TEST(RadiusSigning, KeyedRequestsMayCarryAMessageAuthenticator) {
  for (Code code : {Code::kAccountingRequest, Code::kCoaRequest, Code::kDisconnectRequest}) {
    const auto built =
        BuildRequest({.code = code, .message_authenticator = true}, AttributeList(), kSecret);
    const Packet request = *Parse(*built);
    EXPECT_EQ(built->size(), kHeaderLen + 18);
    EXPECT_TRUE(IsSignedRequest(request, kSecret));
    EXPECT_EQ(CheckRequestMessageAuthenticator(request, kSecret),
              MessageAuthenticatorCheck::kValid);
    EXPECT_EQ(CheckRequestMessageAuthenticator(request, BytesOf("other")),
              MessageAuthenticatorCheck::kInvalid);
  }
}

TEST(RadiusSigning, OnlyKeyedRequestsAreSigned) {
  for (Code code : {Code::kAccessRequest, Code::kStatusServer}) {
    const auto built = BuildRequest({.code = code}, AttributeList(), kSecret);
    EXPECT_FALSE(IsSignedRequest(*Parse(*built), kSecret));
    EXPECT_EQ(CheckRequestMessageAuthenticator(*Parse(*built), kSecret),
              MessageAuthenticatorCheck::kValid)
        << "always there";
  }
}

TEST(RadiusSigning, TwoMessageAuthenticatorsAreInvalid) {
  const Packet asked = *Parse(VectorOf("radius_disconnect", "disconnect_request"));
  AttributeList second;
  second.Add(attr::kMessageAuthenticator, Bytes(16));
  const auto two = BuildReply(Code::kDisconnectAck, asked, second, true, kSecret);
  EXPECT_EQ(CheckReplyMessageAuthenticator(*Parse(*two), asked.authenticator, kSecret),
            MessageAuthenticatorCheck::kInvalid);
  AttributeList shorter;
  shorter.Add(attr::kMessageAuthenticator, Bytes(15));
  const auto cut = BuildReply(Code::kDisconnectAck, asked, shorter, false, kSecret);
  EXPECT_EQ(CheckReplyMessageAuthenticator(*Parse(*cut), asked.authenticator, kSecret),
            MessageAuthenticatorCheck::kInvalid);
}

TEST(RadiusSigning, ThePasswordIsHiddenForThisPacket) {
  const Bytes password = BytesOf("clientPass");
  RequestParts parts{
      .code = Code::kAccessRequest, .authenticator = {1, 2, 3}, .user_password = password};
  AttributeList list;
  list.AddText(attr::kUserName, "User");
  const auto built = BuildRequest(parts, list, kSecret);
  ASSERT_TRUE(built.has_value());
  const Packet packet = *Parse(*built);
  EXPECT_EQ(packet.attributes[0].id, attr::kMessageAuthenticator);
  const auto back =
      RevealPassword(packet.Find(attr::kUserPassword)->value, kSecret, packet.authenticator);
  EXPECT_TRUE(back->Equals(BytesOf(std::string("clientPass") + std::string(6, '\0'))));
  const Bytes too_long(129, 'x');
  parts.user_password = too_long;
  EXPECT_EQ(BuildRequest(parts, list, kSecret).error(), PacketError::kValueTooLong);
}

TEST(RadiusSigning, ARefusedListBuildsNothing) {
  AttributeList bad;
  bad.AddText(attr::kUserName, "");
  EXPECT_EQ(BuildRequest({.code = Code::kAccessRequest}, bad, kSecret).error(),
            PacketError::kEmptyValue);
  const Packet asked = *Parse(VectorOf("radius_disconnect", "disconnect_request"));
  EXPECT_EQ(BuildReply(Code::kDisconnectAck, asked, bad, false, kSecret).error(),
            PacketError::kEmptyValue);
  AttributeList full;  // leaves no room for the Message-Authenticator
  full.AddLong(attr::kEapMessage, Bytes(15 * 253 + 249));
  EXPECT_EQ(BuildRequest({.code = Code::kAccessRequest}, full, kSecret).error(),
            PacketError::kPacketTooLong);
}

}  // namespace
}  // namespace culvert::radius
