#include "controlplane/radius/attribute_list.h"

#include <gtest/gtest.h>

#include "tests/vectors/vectors.h"

namespace culvert::radius {
namespace {

using culvert::testing::FromHex;
using culvert::testing::ToHex;
using Bytes = std::vector<uint8_t>;

TEST(AttributeList, WritesEachType) {
  AttributeList list;
  list.AddText(attr::kUserName, "User");
  list.AddInteger(attr::kNasIpAddress, 0xc0000201);
  list.AddInteger(attr::kMsMppeEncryptionPolicy, 2);
  list.AddTaggedInteger(attr::kTunnelType, 0, 1);
  list.AddTaggedText(attr::kTunnelClientEndpoint, 1, "a");
  EXPECT_EQ(ToHex(list.octets()),
            "010655736572"
            "0406c0000201"
            "1a0c00000137070600000002"
            "400600000001"
            "42040161");
  EXPECT_FALSE(list.error().has_value());
}

TEST(AttributeList, WritesIpv6Prefixes) {
  std::array<uint8_t, 16> address{};
  address.fill(0xff);
  AttributeList list;
  list.AddIpv6Prefix(attr::kFramedIpv6Prefix, address, 12);
  list.AddIpv6Prefix(attr::kFramedIpv6Prefix, address, 0);
  list.AddIpv6Prefix(attr::kDelegatedIpv6Prefix, address, 128);
  EXPECT_EQ(ToHex(list.octets()),
            "6106000cfff0"
            "61040000"
            "7b140080" +
                std::string(32, 'f'));
  list.AddIpv6Prefix(attr::kFramedIpv6Prefix, address, 129);
  EXPECT_EQ(list.error(), PacketError::kValueTooLong);
}

TEST(AttributeList, RefusesInsteadOfCutting) {
  const Bytes longest(253, 'x'), too_long(254, 'x');
  AttributeList list;
  list.Add(attr::kUserName, longest);
  EXPECT_FALSE(list.error().has_value());
  const size_t before = list.octets().size();
  list.Add(attr::kUserName, too_long);
  EXPECT_EQ(list.error(), PacketError::kValueTooLong);
  EXPECT_EQ(list.octets().size(), before);

  AttributeList vendors;
  vendors.Add(attr::kMsChapDomain, Bytes(247, 'x'));
  EXPECT_FALSE(vendors.error().has_value());
  vendors.Add(attr::kMsChapDomain, Bytes(248, 'x'));
  EXPECT_EQ(vendors.error(), PacketError::kValueTooLong);
}

TEST(AttributeList, RefusesEmptyValuesAndBadTags) {
  const auto error_of = [](auto add) {
    AttributeList list;
    add(list);
    return list.error();
  };
  EXPECT_EQ(error_of([](AttributeList& list) { list.AddText(attr::kUserName, ""); }),
            PacketError::kEmptyValue);
  EXPECT_EQ(error_of([](AttributeList& list) { list.AddLong(attr::kEapMessage, {}); }),
            PacketError::kEmptyValue);
  EXPECT_EQ(error_of([](AttributeList& list) { list.AddTaggedText(attr::kTunnelClientAuthId, 1, ""); }),
            PacketError::kEmptyValue);
  EXPECT_EQ(error_of([](AttributeList& list) { list.AddTaggedInteger(attr::kTunnelType, 32, 1); }),
            PacketError::kBadTag);
  EXPECT_EQ(error_of([](AttributeList& list) {
              list.AddTaggedText(attr::kTunnelClientEndpoint, 32, "a");
            }),
            PacketError::kBadTag);
  EXPECT_EQ(
      error_of([](AttributeList& list) { list.AddTaggedInteger(attr::kTunnelType, 1, 0x1000000); }),
      PacketError::kValueTooLong);
}

TEST(AttributeList, StaysWithinAPacket) {
  AttributeList list;
  list.AddLong(attr::kEapMessage, Bytes(15 * 253 + 249, 'x'));  // 15 * 255 + 251 = 4076
  EXPECT_FALSE(list.error().has_value());
  EXPECT_EQ(list.octets().size(), kMaxPacketLen - kHeaderLen);
  AttributeList appended = list;
  list.AddText(attr::kUserName, "u");
  EXPECT_EQ(list.error(), PacketError::kPacketTooLong);
  AttributeList one;
  one.AddText(attr::kUserName, "u");
  appended.Append(one);
  EXPECT_EQ(appended.error(), PacketError::kPacketTooLong);
  one.Append(list);
  EXPECT_EQ(one.error(), PacketError::kPacketTooLong) << "a refused list spoils what it goes into";
}

TEST(AttributeList, GoesToAFileAndBack) {
  AttributeList list;
  list.AddText(attr::kUserName, "User");
  list.AddInteger(attr::kAcctStatusType, 1);
  const auto back = AttributeList::FromOctets(list.octets());
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(ToHex(back->octets()), ToHex(list.octets()));
  EXPECT_EQ(AttributeList::FromOctets(FromHex("0106557365")).error(), PacketError::kBadAttribute);
  EXPECT_EQ(AttributeList::FromOctets(FromHex("0101")).error(), PacketError::kBadAttribute);
  EXPECT_EQ(AttributeList::FromOctets(FromHex("01")).error(), PacketError::kBadAttribute);
  EXPECT_EQ(AttributeList::FromOctets(Bytes(4077, 2)).error(), PacketError::kPacketTooLong);
  EXPECT_TRUE(AttributeList::FromOctets({}).has_value());
}

}  // namespace
}  // namespace culvert::radius
