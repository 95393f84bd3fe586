#include "proto/wire/auth.h"

#include <gtest/gtest.h>

#include "proto/wire/ppp.h"
#include "tests/vectors/vectors.h"

namespace culvert::wire {
namespace {

using culvert::testing::FromHex;
using culvert::testing::ToHex;
using culvert::testing::Vectors;
using OctetVector = std::vector<uint8_t>;

// Data of the control packet in the row of that name.
OctetVector DataOf(const char* name) {
  const OctetVector frame = FromHex(Vectors()["ppp_frames"]["rows"][name].get<std::string>());
  const auto data = ppp::ParseControl(ppp::ParseFrame(frame)->information)->data;
  return {data.begin(), data.end()};
}

OctetVector Cut(const OctetVector& octets, size_t len) {
  return {octets.begin(), octets.begin() + static_cast<ptrdiff_t>(len)};
}

TEST(Pap, RequestBothWays) {
  const OctetVector data = DataOf("pap_auth_request");
  const auto request = pap::ParseRequest(data);
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->peer_id, "User");
  EXPECT_EQ(request->password, "clientPass");
  EXPECT_EQ(pap::EmitRequest(*request), data);
  EXPECT_EQ(pap::EmitRequest({"", ""}), FromHex("0000"));
  EXPECT_EQ(pap::ParseRequest(FromHex("0000"))->password, "");
}

TEST(Pap, EveryTruncation) {
  const OctetVector data = DataOf("pap_auth_request");
  for (size_t len = 0; len < data.size(); ++len) {
    ASSERT_FALSE(pap::ParseRequest(Cut(data, len)).has_value()) << len;
    EXPECT_EQ(pap::ParseRequest(Cut(data, len)).error(), AuthError::kTruncated) << len;
  }
  EXPECT_FALSE(pap::ParseRequest(FromHex("ff")).has_value());
  EXPECT_FALSE(pap::ParseRequest(FromHex("01aaff")).has_value());
}

TEST(Pap, LongFieldsAreCutAt255Octets) {
  const std::string id(300, 'i');
  const std::string password(256, 'p');
  const OctetVector data = pap::EmitRequest({id, password});
  const auto request = pap::ParseRequest(data);
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->peer_id, id.substr(0, 255));
  EXPECT_EQ(request->password, password.substr(0, 255));
}

TEST(Pap, ReplyBothWays) {
  EXPECT_EQ(pap::ParseReply(DataOf("pap_auth_ack")).value(), "");
  EXPECT_EQ(pap::EmitReply(""), DataOf("pap_auth_ack"));
  const OctetVector data = pap::EmitReply("welcome");
  EXPECT_EQ(ToHex(data), "0777656c636f6d65");
  EXPECT_EQ(pap::ParseReply(data).value(), "welcome");
  for (size_t len = 0; len < data.size(); ++len) {
    ASSERT_FALSE(pap::ParseReply(Cut(data, len)).has_value()) << len;
    EXPECT_EQ(pap::ParseReply(Cut(data, len)).error(), AuthError::kTruncated) << len;
  }
  EXPECT_EQ(pap::EmitReply(std::string(256, 'x')).size(), 256u);
}

TEST(Chap, ChallengeAndResponseBothWays) {
  const OctetVector challenge = DataOf("chap_mschapv2_challenge");
  const auto value = chap::ParseValue(challenge);
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(ToHex(value->value), "5b5d7c7d7b3f2f3e3c2c602132262628");
  EXPECT_EQ(value->name, "pptpd");
  EXPECT_EQ(chap::EmitValue(*value), challenge);
  const OctetVector response = DataOf("chap_mschapv2_response");
  EXPECT_EQ(chap::ParseValue(response)->name, "User");
  EXPECT_EQ(chap::EmitValue(*chap::ParseValue(response)), response);
}

TEST(Chap, EveryTruncationOfTheValue) {
  const OctetVector data = DataOf("chap_mschapv2_challenge");
  for (size_t len = 0; len < 17; ++len) {
    ASSERT_FALSE(chap::ParseValue(Cut(data, len)).has_value()) << len;
    EXPECT_EQ(chap::ParseValue(Cut(data, len)).error(), AuthError::kTruncated) << len;
  }
  EXPECT_EQ(chap::ParseValue(Cut(data, 17))->name, "");
  EXPECT_EQ(chap::ParseValue(FromHex("00616263")).error(), AuthError::kBadLength);
}

TEST(Chap, MsChapV2ResponseFieldsAreThoseOfRfc2759) {
  const OctetVector data = DataOf("chap_mschapv2_response");
  const auto response = chap::ParseMsChapV2Response(chap::ParseValue(data)->value);
  ASSERT_TRUE(response.has_value());
  const auto& rfc = Vectors()["rfc2759_9_2"];
  EXPECT_EQ(ToHex(response->peer_challenge), rfc["peer_challenge"].get<std::string>());
  EXPECT_EQ(ToHex(response->nt_response), rfc["nt_response"].get<std::string>());
  EXPECT_EQ(response->flags, 0);
}

TEST(Chap, MsChapResponseFieldsAreThoseOfRfc2433) {
  OctetVector value(49);
  for (size_t i = 0; i < value.size(); ++i) {
    value[i] = static_cast<uint8_t>(i);
  }
  const auto response = chap::ParseMsChapResponse(value);
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->lm_response[0], 0);
  EXPECT_EQ(response->lm_response[23], 23);
  EXPECT_EQ(response->nt_response[0], 24);
  EXPECT_EQ(response->nt_response[23], 47);
  EXPECT_EQ(response->flags, 48);
}

TEST(Chap, MsChapResponsesHave49Octets) {
  for (size_t len = 0; len <= 255; ++len) {
    const OctetVector value(len);
    EXPECT_EQ(chap::ParseMsChapResponse(value).has_value(), len == 49);
    EXPECT_EQ(chap::ParseMsChapV2Response(value).has_value(), len == 49);
    if (len != 49) {
      EXPECT_EQ(chap::ParseMsChapResponse(value).error(), AuthError::kBadLength);
      EXPECT_EQ(chap::ParseMsChapV2Response(value).error(), AuthError::kBadLength);
    }
  }
}

TEST(Chap, ChangePasswordFieldsAreThoseOfRfc2759) {
  OctetVector data(582);
  for (size_t i = 0; i < data.size(); ++i) {
    data[i] = static_cast<uint8_t>(i % 251);
  }
  const auto change = chap::ParseChangePassword(data);
  ASSERT_TRUE(change.has_value());
  EXPECT_EQ(change->encrypted_password[515], 515 % 251);
  EXPECT_EQ(change->encrypted_hash[0], 516 % 251);
  EXPECT_EQ(change->peer_challenge[0], 532 % 251);
  EXPECT_EQ(change->nt_response[0], 556 % 251);
  EXPECT_EQ(change->nt_response[23], 579 % 251);
  EXPECT_EQ(change->flags, (580 % 251) << 8 | 581 % 251);
  for (size_t len = 0; len < 600; ++len) {
    EXPECT_EQ(chap::ParseChangePassword(OctetVector(len)).has_value(), len == 582) << len;
  }
}

}  // namespace
}  // namespace culvert::wire
