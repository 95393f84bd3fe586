#include "controlplane/radius/packet.h"

#include <gtest/gtest.h>

#include "controlplane/radius/attribute_list.h"
#include "tests/vectors/vectors.h"

namespace culvert::radius {
namespace {

using culvert::testing::FromHex;
using culvert::testing::ToHex;
using culvert::testing::Vectors;
using Bytes = std::vector<uint8_t>;

// Header plus `attributes`, with a right Length.
Bytes PacketOf(const std::string& attributes) {
  Bytes packet = FromHex("0201" + std::string("0000") + std::string(32, '0') + attributes);
  packet[2] = static_cast<uint8_t>(packet.size() >> 8);
  packet[3] = static_cast<uint8_t>(packet.size());
  return packet;
}

PacketError ErrorOf(const Bytes& octets) {
  const auto parsed = Parse(octets);
  EXPECT_FALSE(parsed.has_value());
  return parsed.error();
}

TEST(RadiusPacket, ParsesTheMsChapV2Exchange) {
  const auto& vector = Vectors()["radius_mschapv2_exchange"];
  const Bytes request = FromHex(vector["access_request"].get<std::string>());
  const auto packet = Parse(request);
  ASSERT_TRUE(packet.has_value());
  EXPECT_EQ(packet->code, Code::kAccessRequest);
  EXPECT_EQ(packet->identifier, 42);
  EXPECT_EQ(ToHex(packet->authenticator), "000102030405060708090a0b0c0d0e0f");
  ASSERT_FALSE(packet->attributes.empty());
  EXPECT_EQ(packet->attributes.front().id, attr::kMessageAuthenticator);
  EXPECT_EQ(TextOf(packet->Find(attr::kUserName)->value), "User");
  EXPECT_EQ(IntegerOf(packet->Find(attr::kNasIpAddress)->value), 0xc0000201u);
  EXPECT_EQ(packet->Find(attr::kMsChapChallenge)->value.size(), 16u);
  EXPECT_EQ(packet->Find(attr::kMsChap2Response)->value.size(), 50u);

  const Bytes reply = FromHex(vector["access_accept"].get<std::string>());
  const auto accept = Parse(reply);
  ASSERT_TRUE(accept.has_value());
  EXPECT_EQ(accept->code, Code::kAccessAccept);
  EXPECT_EQ(TextOf(accept->Find(attr::kMsChap2Success)->value.subspan(1)),
            "S=407A5589115FD0D6209F510FE9C04566932CDA56");
  EXPECT_EQ(accept->Find(attr::kSessionTimeout), nullptr);
}

TEST(RadiusPacket, EveryTruncationIsRefused) {
  const Bytes whole =
      FromHex(Vectors()["radius_mschapv2_exchange"]["access_accept"].get<std::string>());
  for (size_t len = 0; len < whole.size(); ++len) {
    EXPECT_EQ(ErrorOf(Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(len))),
              PacketError::kTruncated);
  }
  // The same with the Length made to fit: whole attributes, or an error.
  size_t parsed = 0;
  for (size_t len = kHeaderLen; len < whole.size(); ++len) {
    Bytes cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(len));
    cut[2] = 0;
    cut[3] = static_cast<uint8_t>(len);
    if (const auto packet = Parse(cut)) {
      ++parsed;
    } else {
      EXPECT_EQ(packet.error(), PacketError::kBadAttribute);
    }
  }
  EXPECT_EQ(parsed, 7u);  // after the header, and after each attribute but the last
}

TEST(RadiusPacket, OctetsAfterTheLengthAreIgnored) {
  Bytes fine = PacketOf("0105616263");
  fine.push_back(0xff);
  const auto packet = Parse(fine);
  ASSERT_TRUE(packet.has_value());
  EXPECT_EQ(packet->octets.size(), fine.size() - 1);
  EXPECT_EQ(packet->attributes.size(), 1u);
}

TEST(RadiusPacket, ImpossibleLengthsAreRefused) {
  Bytes octets = PacketOf("");
  octets[3] = 19;
  EXPECT_EQ(ErrorOf(octets), PacketError::kBadLength);
  octets.resize(5000);
  octets[2] = 0x10;
  octets[3] = 0x01;  // 4097
  EXPECT_EQ(ErrorOf(octets), PacketError::kBadLength);
  EXPECT_EQ(ErrorOf(PacketOf("0100")), PacketError::kBadAttribute);
  EXPECT_EQ(ErrorOf(PacketOf("0101")), PacketError::kBadAttribute);
  EXPECT_EQ(ErrorOf(PacketOf("0103")), PacketError::kBadAttribute);
  EXPECT_EQ(ErrorOf(PacketOf("01")), PacketError::kBadAttribute);
}

TEST(RadiusPacket, AVendorsAttributeMayHoldSeveral) {
  const Bytes octets = PacketOf(
      "1a15"
      "00000137"
      "070600000001"
      "080600000006"
      "1a03ff");
  const auto packet = Parse(octets);
  ASSERT_TRUE(packet.has_value());
  ASSERT_EQ(packet->attributes.size(), 3u);
  EXPECT_EQ(IntegerOf(packet->Find(attr::kMsMppeEncryptionPolicy)->value), 1u);
  EXPECT_EQ(IntegerOf(packet->Find(attr::kMsMppeEncryptionTypes)->value), 6u);
  EXPECT_EQ(ToHex(packet->Find(attr::kMsChap2Success)->value), "ff");
}

TEST(RadiusPacket, AVendorsAttributeNeedNotBeAList) {
  for (const char* inner : {"0701", "07060000", "ff", "0700"}) {
    const std::string text = std::string("00000137") + inner;
    const Bytes front = {kVendorSpecific, static_cast<uint8_t>(2 + text.size() / 2)};
    const Bytes octets = PacketOf(ToHex(front) + text);
    const auto packet = Parse(octets);
    ASSERT_TRUE(packet.has_value()) << inner;
    ASSERT_EQ(packet->attributes.size(), 1u);
    EXPECT_EQ(packet->attributes[0].id, (AttributeId{kMicrosoft, 0}));
    EXPECT_EQ(ToHex(packet->attributes[0].value), inner);
  }
  const Bytes no_vendor = PacketOf("1a05000001");
  EXPECT_EQ(Parse(no_vendor)->attributes[0].id, (AttributeId{0, kVendorSpecific}));
}

TEST(RadiusPacket, LongValuesAreJoinedInOrder) {
  Bytes eap(600);
  for (size_t i = 0; i < eap.size(); ++i) {
    eap[i] = static_cast<uint8_t>(i);
  }
  AttributeList list;
  list.AddLong(attr::kEapMessage, eap);
  const Bytes octets = PacketOf(ToHex(list.octets()));
  const auto packet = Parse(octets);
  ASSERT_TRUE(packet.has_value());
  EXPECT_EQ(packet->Count(attr::kEapMessage), 3u);
  EXPECT_EQ(packet->Join(attr::kEapMessage), eap);
  EXPECT_TRUE(packet->Join(attr::kState).empty());
}

TEST(RadiusPacket, ReadsValues) {
  EXPECT_EQ(IntegerOf(FromHex("00000102")), 258u);
  EXPECT_EQ(IntegerOf(FromHex("000102")), std::nullopt);
  EXPECT_EQ(IntegerOf(FromHex("0000000102")), std::nullopt);
  const Bytes tagged = FromHex("01000001"), untagged = FromHex("20000001");
  EXPECT_EQ(TaggedIntegerOf(tagged)->tag, 1);
  EXPECT_EQ(TaggedIntegerOf(tagged)->value, 1u);
  EXPECT_EQ(TaggedIntegerOf(untagged)->tag, 0);
  EXPECT_EQ(TaggedIntegerOf(untagged)->value, 1u);
  EXPECT_EQ(TaggedIntegerOf(FromHex("010001")), std::nullopt);
  const Bytes text = FromHex("1f6162"), plain = FromHex("206162");
  EXPECT_EQ(TaggedTextOf(text).tag, 31);
  EXPECT_EQ(TaggedTextOf(text).value, "ab");
  EXPECT_EQ(TaggedTextOf(plain).tag, 0);
  EXPECT_EQ(TaggedTextOf(plain).value, " ab");
  EXPECT_EQ(TaggedTextOf({}).value, "");
}

TEST(RadiusPacket, ReadsIpv6Prefixes) {
  const auto prefix = Ipv6PrefixOf(FromHex("003820010db8000101"));
  ASSERT_TRUE(prefix.has_value());
  EXPECT_EQ(prefix->length, 56);
  EXPECT_EQ(ToHex(prefix->address), "20010db8000101000000000000000000");
  EXPECT_TRUE(Ipv6PrefixOf(FromHex("0000")).has_value());
  EXPECT_TRUE(Ipv6PrefixOf(FromHex("008020010db8000000000000000000000001")).has_value());
  EXPECT_FALSE(Ipv6PrefixOf(FromHex("00")).has_value());
  EXPECT_FALSE(Ipv6PrefixOf(FromHex("004020010db8")).has_value()) << "fewer octets than bits";
  EXPECT_FALSE(Ipv6PrefixOf(FromHex("002020010db801")).has_value()) << "bits after the prefix";
  EXPECT_FALSE(Ipv6PrefixOf(FromHex("008120010db8000000000000000000000001")).has_value());
  EXPECT_FALSE(Ipv6PrefixOf(FromHex("008020010db800000000000000000000000100")).has_value());
}

}  // namespace
}  // namespace culvert::radius
