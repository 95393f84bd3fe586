#include "proto/wire/eap.h"

#include <gtest/gtest.h>

#include "proto/wire/auth.h"
#include "tests/vectors/vectors.h"

namespace culvert::wire {
namespace {

using culvert::testing::FromHex;
using culvert::testing::ToHex;
using culvert::testing::Vectors;
using OctetVector = std::vector<uint8_t>;

OctetVector Row(const char* name) { return FromHex(Vectors()["eap"][name].get<std::string>()); }

OctetVector Cut(const OctetVector& octets, size_t len) {
  return {octets.begin(), octets.begin() + static_cast<ptrdiff_t>(len)};
}

TEST(Eap, EveryVectorBothWays) {
  for (const auto& [name, row] : Vectors()["eap"].items()) {
    if (name == "kind") {
      continue;
    }
    const OctetVector octets = FromHex(row.get<std::string>());
    const auto packet = eap::Parse(octets);
    ASSERT_TRUE(packet.has_value()) << name;
    EXPECT_EQ(eap::Emit(*packet), octets) << name;
  }
}

TEST(Eap, IdentityNakAndSuccess) {
  const auto identity = eap::Parse(Row("identity_response"));
  EXPECT_EQ(identity->code, eap::kResponse);
  EXPECT_EQ(identity->identifier, 1);
  EXPECT_EQ(identity->type, eap::kIdentity);
  const OctetVector octets = Row("nak_prefer_mschapv2");
  const auto nak = eap::Parse(octets);
  EXPECT_EQ(nak->type, eap::kNak);
  EXPECT_EQ(ToHex(nak->data), "1a");
  const auto success = eap::Parse(Row("eap_success"));
  EXPECT_EQ(success->code, eap::kSuccess);
  EXPECT_EQ(success->type, 0);
  EXPECT_TRUE(success->data.empty());
}

TEST(Eap, EveryTruncation) {
  const OctetVector octets = Row("mschapv2_response");
  for (size_t len = 0; len < octets.size(); ++len) {
    ASSERT_FALSE(eap::Parse(Cut(octets, len)).has_value()) << len;
    EXPECT_EQ(eap::Parse(Cut(octets, len)).error(),
              len < 4 ? eap::Error::kTruncated : eap::Error::kBadLength)
        << len;
  }
}

TEST(Eap, LengthsAndCodesThatLie) {
  EXPECT_EQ(eap::Parse(FromHex("0101000301")).error(), eap::Error::kBadLength);
  EXPECT_EQ(eap::Parse(FromHex("0101000601")).error(), eap::Error::kBadLength);
  EXPECT_EQ(eap::Parse(FromHex("01010004")).error(), eap::Error::kBadLength);    // no type
  EXPECT_EQ(eap::Parse(FromHex("0301000501")).error(), eap::Error::kBadLength);  // Success + 1
  EXPECT_EQ(eap::Parse(FromHex("0001000501")).error(), eap::Error::kBadCode);
  EXPECT_EQ(eap::Parse(FromHex("0501000501")).error(), eap::Error::kBadCode);
  const OctetVector padded = FromHex("010100050100000000");
  const auto packet = eap::Parse(padded);  // padding is not data
  EXPECT_EQ(packet->type, eap::kIdentity);
  EXPECT_TRUE(packet->data.empty());
}

TEST(Eap, Md5ChallengeHasTheFormOfChap) {
  const OctetVector octets = Row("md5_request");
  const auto packet = eap::Parse(octets);
  EXPECT_EQ(packet->type, eap::kMd5Challenge);
  const auto value = chap::ParseValue(packet->data);
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(ToHex(value->value), "101112131415161718191a1b1c1d1e1f");
  EXPECT_EQ(value->name, "nas");
}

TEST(EapMsChapV2, EveryVectorBothWays) {
  for (const char* name : {"mschapv2_challenge", "mschapv2_response", "mschapv2_success_request"}) {
    const OctetVector octets = Row(name);
    const auto packet = eap::Parse(octets);
    const auto message = eap::mschapv2::Parse(packet->data);
    ASSERT_TRUE(message.has_value()) << name;
    EXPECT_EQ(message->identifier, 3) << name;
    EXPECT_EQ(ToHex(eap::mschapv2::Emit(*message)), ToHex(packet->data)) << name;
  }
  const OctetVector octets = Row("mschapv2_success_response");
  const auto answer = eap::mschapv2::Parse(eap::Parse(octets)->data);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->op_code, eap::mschapv2::kSuccess);
  EXPECT_EQ(eap::mschapv2::Emit(*answer, false), FromHex("03"));
}

TEST(EapMsChapV2, ResponseHoldsThatOfMsChapV2) {
  const OctetVector octets = Row("mschapv2_response");
  const auto message = eap::mschapv2::Parse(eap::Parse(octets)->data);
  const auto value = chap::ParseValue(message->data);
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(value->name, "User");
  EXPECT_EQ(ToHex(chap::ParseMsChapV2Response(value->value)->nt_response),
            Vectors()["rfc2759_9_2"]["nt_response"].get<std::string>());
}

TEST(EapMsChapV2, EveryTruncation) {
  const OctetVector octets = Row("mschapv2_response");
  const OctetVector data = Cut(OctetVector(octets.begin() + 5, octets.end()), octets.size() - 5);
  for (size_t len = 0; len < data.size(); ++len) {
    ASSERT_FALSE(eap::mschapv2::Parse(Cut(data, len)).has_value()) << len;
    EXPECT_EQ(eap::mschapv2::Parse(Cut(data, len)).error(),
              len < 4 ? eap::Error::kTruncated : eap::Error::kBadLength)
        << len;
  }
}

// Windows XP answers a Success Request with a longer message whose length means nothing.
TEST(EapMsChapV2, OddAnswersToSuccessAndFailure) {
  for (const char* odd : {"03", "0300", "030300", "03030000", "0303ffff00", "0403000600"}) {
    const OctetVector octets = FromHex(odd);
    const auto message = eap::mschapv2::Parse(octets);
    ASSERT_TRUE(message.has_value()) << odd;
    EXPECT_EQ(message->op_code, octets[0]) << odd;
    EXPECT_TRUE(message->data.empty()) << odd;
  }
}

}  // namespace
}  // namespace culvert::wire
