#include "controlplane/radius/login/access_reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "controlplane/crypto/mppe_keys.h"
#include "controlplane/crypto/mschap.h"
#include "controlplane/radius/hiding.h"
#include "controlplane/radius/signing.h"
#include "tests/vectors/vectors.h"

namespace culvert::radius {
namespace {

using culvert::testing::FromHex;
using culvert::testing::ToHex;
using culvert::testing::Vectors;
using ::testing::HasSubstr;
using Bytes = std::vector<uint8_t>;

const std::string kSecretText = "testing123";
Bytes BytesOf(const std::string& text) { return {text.begin(), text.end()}; }

AuthRequest Login(AuthExchange exchange) {
  return {.call = {}, .user = "User", .exchange = std::move(exchange), .state = {}};
}
const MsChapV2Exchange kMsChapV2 = {.identifier = 7};
constexpr AuthenticatorOctets kRequestAuthenticator = {0, 1, 2,  3,  4,  5,  6,  7,
                                                       8, 9, 10, 11, 12, 13, 14, 15};

Answer AnswerOf(Bytes packet) {
  return {.outcome = Outcome::kAnswered,
          .packet = std::move(packet),
          .request_authenticator = kRequestAuthenticator,
          .secret = std::make_shared<const Secret>(BytesOf(kSecretText)),
          .server = 2};
}

Answer AnswerWith(Code code, const AttributeList& list) {
  EXPECT_FALSE(list.error().has_value());
  Packet request;
  request.authenticator = kRequestAuthenticator;
  return AnswerOf(*BuildReply(code, request, list, true, BytesOf(kSecretText)));
}

void AddKeys(AttributeList& list, size_t send_len, size_t receive_len) {
  list.Add(attr::kMsMppeSendKey,
           *HideKey(Bytes(send_len, 0x55), 1, BytesOf(kSecretText), kRequestAuthenticator));
  list.Add(attr::kMsMppeRecvKey,
           *HideKey(Bytes(receive_len, 0x66), 2, BytesOf(kSecretText), kRequestAuthenticator));
}
AuthResult ReadEap(Code code, const AttributeList& list) {
  return ReadAnswer(AnswerWith(code, list), Login(EapExchange{}));
}

TEST(AccessReply, TheAcceptOfTheVectors) {
  const AuthResult result = ReadAnswer(
      AnswerOf(FromHex(Vectors()["radius_mschapv2_exchange"]["access_accept"].get<std::string>())),
      Login(kMsChapV2));
  EXPECT_EQ(result.verdict, AuthVerdict::kAccept) << result.reject_reason;
  EXPECT_EQ(result.source, AuthSource::kRadius);
  EXPECT_EQ(result.user, "User");
  EXPECT_EQ(result.authenticator_response, "S=407A5589115FD0D6209F510FE9C04566932CDA56");
  EXPECT_EQ(result.grants.fixed_address, 0x0a000002u);
  EXPECT_EQ(result.grants.mppe, MppeGrant::kAllow);
  EXPECT_EQ(result.grants.mppe_strengths, CallGrants::kMppe40 | CallGrants::kMppe128);
  EXPECT_EQ(ToHex(result.keys.send_128.octets()), "8b7cdc149b993a1ba118cb153f56dccb");
  EXPECT_EQ(ToHex(result.keys.receive_128.octets()), "d5f0e9521e3ea9589645e86051c82226");
  EXPECT_EQ(ToHex(result.keys.send_40_56.octets()), "8b7cdc149b993a1b");
  EXPECT_EQ(ToHex(result.keys.receive_40_56.octets()), "d5f0e9521e3ea958");
}

// What RADIUS sends is what we would compute from the password.
TEST(AccessReply, MsChapKeysAreThoseOfThePassword) {
  const Bytes password = BytesOf("clientPass");
  const Secret nt_hash = std::move(*crypto::NtPasswordHash(password));
  const Secret nt_key = crypto::HashNtPasswordHash(crypto::SpanOf16(nt_hash));
  const Secret lm_hash = std::move(*crypto::LmPasswordHash(password));
  const MsChapExchange exchange = {.challenge = {0x10, 0x2d, 0xb5, 0xdf, 8, 5, 0xd, 4}};
  AttributeList list;
  list.Add(attr::kMsChapMppeKeys, *HideChapMppeKeys(lm_hash.octets().first(8), nt_key.octets(),
                                                    BytesOf(kSecretText), kRequestAuthenticator));
  const AuthResult result = ReadAnswer(AnswerWith(Code::kAccessAccept, list), Login(exchange));
  EXPECT_EQ(result.verdict, AuthVerdict::kAccept) << result.reject_reason;
  const MppeStartKeys keys =
      crypto::MsChapStartKeys(crypto::SpanOf16(nt_hash), exchange.challenge, lm_hash.octets());
  EXPECT_EQ(ToHex(result.keys.send_128.octets()), ToHex(keys.send_128.octets()));
  EXPECT_EQ(ToHex(result.keys.send_40_56.octets()), ToHex(keys.send_40_56.octets()));
}

TEST(AccessReply, KeysOfEapMethodsAreTheirFirstHalf) {
  AttributeList list;
  AddKeys(list, 32, 32);
  const AuthResult result = ReadEap(Code::kAccessAccept, list);
  EXPECT_EQ(result.verdict, AuthVerdict::kAccept);
  EXPECT_EQ(result.keys.send_128.octets().size(), 16u);
  EXPECT_EQ(result.keys.receive_40_56.octets().size(), 8u);
  EXPECT_FALSE(result.grants.mppe.has_value()) << "keys only: as configured";
}

TEST(AccessReply, AShortKeyIsFor40And56BitOnly) {
  AttributeList list;
  AddKeys(list, 8, 8);
  const AuthResult result = ReadEap(Code::kAccessAccept, list);
  EXPECT_EQ(result.verdict, AuthVerdict::kAccept);
  EXPECT_FALSE(result.keys.Has128());
  EXPECT_TRUE(result.keys.Has40And56());
}

TEST(AccessReply, AKeyOfAWrongLengthIsNoKey) {
  for (const auto& [send, receive] :
       {std::pair{0, 16}, {16, 0}, {15, 16}, {16, 17}, {1, 1}, {31, 31}, {33, 33}, {16, 8}}) {
    AttributeList list;
    AddKeys(list, static_cast<size_t>(send), static_cast<size_t>(receive));
    const AuthResult result = ReadEap(Code::kAccessAccept, list);
    EXPECT_EQ(result.verdict, AuthVerdict::kReject) << send << " " << receive;
    EXPECT_THAT(result.reject_reason, HasSubstr("Key"));
    EXPECT_FALSE(result.keys.Has128() || result.keys.Has40And56());
  }
  AttributeList one;
  one.Add(attr::kMsMppeSendKey,
          *HideKey(Bytes(16), 1, BytesOf(kSecretText), kRequestAuthenticator));
  EXPECT_EQ(ReadEap(Code::kAccessAccept, one).verdict, AuthVerdict::kReject);
  AttributeList other;
  other.Add(attr::kMsMppeSendKey, *HideKey(Bytes(16), 1, BytesOf("x"), kRequestAuthenticator));
  other.Add(attr::kMsMppeRecvKey, *HideKey(Bytes(16), 1, BytesOf("y"), kRequestAuthenticator));
  EXPECT_EQ(ReadEap(Code::kAccessAccept, other).verdict, AuthVerdict::kReject)
      << "hidden with another secret";
}

TEST(AccessReply, PolicyAndTypes) {
  const auto read = [](std::optional<uint32_t> policy, std::optional<uint32_t> types, bool keys) {
    AttributeList list;
    if (policy) {
      list.AddInteger(attr::kMsMppeEncryptionPolicy, *policy);
    }
    if (types) {
      list.AddInteger(attr::kMsMppeEncryptionTypes, *types);
    }
    if (keys) {
      AddKeys(list, 16, 16);
    }
    return ReadEap(Code::kAccessAccept, list);
  };
  EXPECT_EQ(read(1, 6, true).grants.mppe, MppeGrant::kAllow);
  EXPECT_EQ(read(2, 4, true).grants.mppe, MppeGrant::kRequire);
  EXPECT_EQ(read(2, 4, true).grants.mppe_strengths, CallGrants::kMppe128);
  EXPECT_EQ(read(2, 0xe, true).grants.mppe_strengths, 7) << "40, 56, 128";
  EXPECT_EQ(read(2, 1, true).grants.mppe_strengths, CallGrants::kMppe128) << "names none";
  EXPECT_EQ(read(1, 0, true).grants.mppe, MppeGrant::kDeny);
  EXPECT_EQ(read(2, 0, false).grants.mppe, MppeGrant::kDeny) << "types 0: none, whatever";
  EXPECT_EQ(read(2, 4, false).verdict, AuthVerdict::kReject) << "required, and no keys";
  EXPECT_EQ(read({}, {}, false).verdict, AuthVerdict::kAccept);
  EXPECT_FALSE(read({}, {}, false).keys.Has128());
}

TEST(AccessReply, MsChap2SuccessMustBeTheRightOne) {
  const std::string right = "S=407A5589115FD0D6209F510FE9C04566932CDA56";
  const auto verdict = [](const std::string& text) {
    AttributeList list;
    if (!text.empty()) {
      list.AddText(attr::kMsChap2Success, text);
    }
    return ReadAnswer(AnswerWith(Code::kAccessAccept, list), Login(kMsChapV2));
  };
  EXPECT_EQ(verdict("\x07" + right).authenticator_response, right);
  EXPECT_EQ(verdict("\x07" + right + " M=hello").authenticator_response, right);
  for (const std::string& text :
       {std::string(), "\x08" + right, right, "\x07" + right.substr(0, 41),
        "\x07X=" + right.substr(2), "\x07S=Z" + right.substr(3)}) {
    EXPECT_EQ(verdict(text).verdict, AuthVerdict::kReject) << text;
  }
}

TEST(AccessReply, ANameInTheAcceptIsTheUsers) {
  AttributeList list;
  list.AddText(attr::kUserName, "canonical");
  list.AddText(attr::kReplyMessage, "hello ");
  list.AddText(attr::kReplyMessage, "world\n");
  const AuthResult result = ReadAnswer(AnswerWith(Code::kAccessAccept, list), Login(PapExchange{}));
  EXPECT_EQ(result.user, "canonical");
  EXPECT_EQ(result.reply_message, "hello world\\x0a");
}

TEST(AccessReply, AnAcceptThatCannotBeCarriedOutIsAReject) {
  AttributeList list;
  list.AddInteger(attr::kServiceType, 1);
  const AuthResult result = ReadAnswer(AnswerWith(Code::kAccessAccept, list), Login(PapExchange{}));
  EXPECT_EQ(result.verdict, AuthVerdict::kReject);
  EXPECT_FALSE(result.unknown_user);
}

TEST(AccessReply, RejectWithMsChapError) {
  AttributeList list;
  list.AddText(attr::kMsChapError,
               "\x07"
               "E=648 R=1 C=000102030405060708090a0b0c0d0e0f V=3 M=Password Expired");
  const AuthResult result = ReadAnswer(AnswerWith(Code::kAccessReject, list), Login(kMsChapV2));
  EXPECT_EQ(result.verdict, AuthVerdict::kReject);
  ASSERT_TRUE(result.mschap_failure.has_value());
  EXPECT_EQ(result.mschap_failure->code, 648u);
  EXPECT_TRUE(result.mschap_failure->retry);
  EXPECT_EQ(ToHex(result.mschap_failure->challenge), "000102030405060708090a0b0c0d0e0f");
  EXPECT_EQ(result.mschap_failure->message, "Password Expired");
  EXPECT_FALSE(
      ReadAnswer(AnswerWith(Code::kAccessReject, {}), Login(kMsChapV2)).mschap_failure.has_value());
}

TEST(AccessReply, MsChapErrors) {
  EXPECT_EQ(ParseMsChapError("E=691 R=0")->code, 691u);
  EXPECT_FALSE(ParseMsChapError("E=691 R=0")->retry);
  EXPECT_TRUE(ParseMsChapError("E=691")->challenge.empty());
  EXPECT_TRUE(ParseMsChapError("E=691 R=1 C=12")->challenge.empty()) << "no challenge is so short";
  EXPECT_EQ(ParseMsChapError("E=691 R=1 C=0011223344556677 V=3")->challenge.size(), 8u);
  EXPECT_EQ(ParseMsChapError("E=691 M=R=1 E=5")->message, "R=1 E=5");
  EXPECT_FALSE(ParseMsChapError("E=691 M=R=1 E=5")->retry);
  for (const char* text : {"", "R=1", "E=", "E=x", "M=E=691"}) {
    EXPECT_FALSE(ParseMsChapError(text).has_value()) << text;
  }
}

TEST(AccessReply, EapGoesOnWithStateAndServer) {
  AttributeList list;
  list.AddLong(attr::kEapMessage, Bytes(400, 1));
  list.Add(attr::kState, Bytes{0xaa, 0xbb});
  const AuthResult result = ReadEap(Code::kAccessChallenge, list);
  EXPECT_EQ(result.verdict, AuthVerdict::kChallenge);
  EXPECT_EQ(result.eap, Bytes(400, 1));
  EXPECT_EQ(ToHex(result.state), "02aabb");
  EXPECT_EQ(ReadAnswer(AnswerWith(Code::kAccessChallenge, list), Login(PapExchange{})).verdict,
            AuthVerdict::kReject)
      << "PAP has no more rounds";
  EXPECT_EQ(ReadEap(Code::kAccessChallenge, {}).verdict, AuthVerdict::kReject) << "no EAP inside";
}

// RFC 3579 s2.6.3: RADIUS decides, not the packet inside.
TEST(AccessReply, AStateOfAnyLengthIsKeptAndOfSeveralTheFirst) {
  for (const size_t len : {size_t{1}, size_t{16}, kMaxValueLen}) {
    AttributeList list;
    list.AddLong(attr::kEapMessage, Bytes{1, 1, 0, 5, 4});
    list.Add(attr::kState, Bytes(len, 0xcd));
    list.Add(attr::kState, Bytes(len, 0xee));  // RFC 2865 s5.44 allows one
    const AuthResult result = ReadEap(Code::kAccessChallenge, list);
    EXPECT_EQ(result.verdict, AuthVerdict::kChallenge);
    ASSERT_EQ(result.state.size(), 1 + len);
    EXPECT_EQ(result.state.back(), 0xcd);
  }
}

TEST(AccessReply, TheCodeOfRadiusCounts) {
  const Bytes success = {3, 1, 0, 4}, failure = {4, 1, 0, 4};
  AttributeList with_success, with_failure;
  with_success.Add(attr::kEapMessage, success);
  with_failure.Add(attr::kEapMessage, failure);
  EXPECT_EQ(ReadEap(Code::kAccessAccept, with_success).eap, success);
  EXPECT_EQ(ReadEap(Code::kAccessReject, with_failure).eap, failure);
  EXPECT_TRUE(ReadEap(Code::kAccessAccept, with_failure).eap.empty());
  EXPECT_TRUE(ReadEap(Code::kAccessReject, with_success).eap.empty());
  EXPECT_EQ(ReadEap(Code::kAccessReject, with_success).verdict, AuthVerdict::kReject);
  EXPECT_FALSE(ReadEap(Code::kAccessReject, with_success).unjudged);
}

TEST(AccessReply, NoAnswerLeavesTheUserToOthers) {
  for (Outcome outcome : {Outcome::kTimeout, Outcome::kOverload, Outcome::kNotEncoded,
                          Outcome::kNoServer, Outcome::kStopped}) {
    const AuthResult result =
        ReadAnswer({.outcome = outcome, .packet = {}, .secret = nullptr}, Login(PapExchange{}));
    EXPECT_EQ(result.verdict, AuthVerdict::kReject);
    EXPECT_TRUE(result.unknown_user);
    EXPECT_TRUE(result.unjudged) << "or servers that are away would lock everybody out";
    EXPECT_FALSE(result.reject_reason.empty());
  }
}

}  // namespace
}  // namespace culvert::radius
