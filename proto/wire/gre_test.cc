#include "proto/wire/gre.h"

#include <gtest/gtest.h>

#include "tests/vectors/vectors.h"

namespace culvert::wire::gre {
namespace {

using culvert::testing::FromHex;
using culvert::testing::ToHex;
using culvert::testing::Vectors;
using OctetVector = std::vector<uint8_t>;

OctetVector Row(const char* name) {
  return FromHex(Vectors()["gre_frames"]["rows"][name].get<std::string>());
}

// All four forms: with and without sequence and acknowledgement number.
std::vector<Header> AllForms() {
  std::vector<Header> forms;
  for (const bool sequence : {false, true}) {
    for (const bool ack : {false, true}) {
      forms.push_back({0, 0xabcd, sequence, ack, sequence ? 0xfffffffe : 0, ack ? 0x01020304u : 0});
    }
  }
  return forms;
}

TEST(Gre, EveryVectorIsEmittedAsItWasParsed) {
  const auto& rows = Vectors()["gre_frames"]["rows"];
  ASSERT_EQ(rows.size(), 4u);
  for (const auto& [name, hex] : rows.items()) {
    const OctetVector frame = FromHex(hex.get<std::string>());
    const auto header = Parse(frame);
    ASSERT_TRUE(header.has_value()) << name;
    uint8_t emitted[kMaxHeaderLen] = {};
    const size_t len = Emit(*header, emitted);
    EXPECT_EQ(len, HeaderLen(*header)) << name;
    EXPECT_EQ(ToHex(Octets(emitted, len)), ToHex(Octets(frame).first(len))) << name;
    EXPECT_EQ(len + header->payload_len, frame.size()) << name;
  }
}

TEST(Gre, VectorsHoldTheValuesTheyAreNamedFor) {
  EXPECT_EQ(*Parse(Row("data_no_ack")), (Header{14, 0x2961, true, false, 0, 0}));
  EXPECT_EQ(*Parse(Row("data_with_ack")), (Header{14, 0x2961, true, true, 1, 0}));
  EXPECT_EQ(*Parse(Row("ack_only")), (Header{0, 0x2961, false, true, 0, 7}));
  EXPECT_EQ(*Parse(Row("mppe128_first_packet")), (Header{36, 0x2961, true, true, 20, 15}));
}

TEST(Gre, ParseOfEmitGivesTheSameHeader) {
  for (const Header& header : AllForms()) {
    OctetVector octets(HeaderLen(header));
    ASSERT_EQ(Emit(header, octets.data()), octets.size());
    const auto parsed = Parse(octets);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(*parsed, header);
  }
}

TEST(Gre, EveryTruncationOfEveryForm) {
  for (const Header& header : AllForms()) {
    OctetVector octets(HeaderLen(header));
    Emit(header, octets.data());
    for (size_t len = 0; len < octets.size(); ++len) {
      const OctetVector cut(octets.begin(), octets.begin() + static_cast<ptrdiff_t>(len));
      const auto parsed = Parse(cut);
      ASSERT_FALSE(parsed.has_value()) << len;
      EXPECT_EQ(parsed.error(), Error::kTruncated) << len;
    }
  }
}

TEST(Gre, OfAllFlagWordsFourAreValid) {
  OctetVector octets(kMaxHeaderLen);
  StoreBe16(&octets[2], kProtocolPpp);
  int valid = 0;
  for (uint32_t word = 0; word <= 0xffff; ++word) {
    StoreBe16(&octets[0], static_cast<uint16_t>(word));
    const auto header = Parse(octets);
    const bool expected = word == 0x2001 || word == 0x2081 || word == 0x3001 || word == 0x3081;
    ASSERT_EQ(header.has_value(), expected) << std::hex << word;
    ASSERT_EQ(expected, (word & 0xef7f) == 0x2001) << std::hex << word;
    if (expected) {
      ++valid;
      EXPECT_EQ(header->has_sequence, (word & 0x1000) != 0);
      EXPECT_EQ(header->has_ack, (word & 0x0080) != 0);
    } else {
      ASSERT_EQ(header.error(), Error::kBadFlags) << std::hex << word;
    }
  }
  EXPECT_EQ(valid, 4);
}

TEST(Gre, AnyOtherProtocolIsRefused) {
  OctetVector octets = Row("ack_only");
  for (uint32_t protocol = 0; protocol <= 0xffff; ++protocol) {
    StoreBe16(&octets[2], static_cast<uint16_t>(protocol));
    const auto header = Parse(octets);
    ASSERT_EQ(header.has_value(), protocol == 0x880b);
    if (!header.has_value()) {
      ASSERT_EQ(header.error(), Error::kBadProtocol);
    }
  }
}

TEST(Gre, PayloadLengthMayLeavePaddingButNotGoBeyondThePacket) {
  OctetVector octets = Row("data_with_ack");  // 14 octets of payload
  for (const uint16_t len : {0, 1, 13, 14}) {
    StoreBe16(&octets[4], len);
    ASSERT_TRUE(Parse(octets).has_value()) << len;
    EXPECT_EQ(Parse(octets)->payload_len, len);
  }
  for (const uint16_t len : {15, 16, 0xffff}) {
    StoreBe16(&octets[4], len);
    EXPECT_EQ(Parse(octets).error(), Error::kBadLength) << len;
  }
  OctetVector ack = Row("ack_only");  // without S there is no payload, whatever the field says
  StoreBe16(&ack[4], 0xffff);
  EXPECT_TRUE(Parse(ack).has_value());
}

TEST(Gre, SequenceOrderSurvivesTheWrap) {
  EXPECT_TRUE(SequenceAfter(1, 0));
  EXPECT_FALSE(SequenceAfter(0, 1));
  EXPECT_FALSE(SequenceAfter(7, 7));
  EXPECT_TRUE(SequenceAfter(0, 0xffffffff));
  EXPECT_FALSE(SequenceAfter(0xffffffff, 0));
  EXPECT_TRUE(SequenceAfter(0x7fffffff, 0));
  EXPECT_FALSE(SequenceAfter(0x80000001, 0));
}

}  // namespace
}  // namespace culvert::wire::gre
