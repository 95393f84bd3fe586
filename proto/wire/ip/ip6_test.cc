#include "proto/wire/ip/ip6.h"

#include <gtest/gtest.h>

#include "proto/wire/ip/ip.h"
#include "tests/vectors/vectors.h"

namespace culvert::wire::ip6 {
namespace {

using culvert::testing::FromHex;
using culvert::testing::ToHex;
using OctetVector = std::vector<uint8_t>;

const char* const kUdpPacket =
    "6a012345000911fe"
    "20010db8000100000000000000000080"
    "20010db8007700000000000000000010"
    "000102030405060708";

// Packet has the extension headers and data `rest` behind a fixed header.
OctetVector Packet(uint8_t next_header, const std::string& rest) {
  OctetVector packet = FromHex(kUdpPacket);
  packet.resize(kHeaderLen);
  const OctetVector tail = FromHex(rest);
  packet.insert(packet.end(), tail.begin(), tail.end());
  packet[6] = next_header;
  StoreBe16(&packet[4], static_cast<uint16_t>(tail.size()));
  return packet;
}

tl::expected<Upper, Error> Find(const OctetVector& packet) {
  const auto header = Parse(packet);
  EXPECT_TRUE(header.has_value());
  return FindUpper(*header, packet);
}

TEST(Ip6, BothWays) {
  const OctetVector packet = FromHex(kUdpPacket);
  const auto header = Parse(packet);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->traffic_class, 0xa0);
  EXPECT_EQ(header->flow_label, 0x12345u);
  EXPECT_EQ(header->payload_len, 9);
  EXPECT_EQ(header->TotalLen(), 49u);
  EXPECT_EQ(header->next_header, kUdp);
  EXPECT_EQ(header->hop_limit, 254);
  EXPECT_EQ(ToHex(header->source), "20010db8000100000000000000000080");
  EXPECT_EQ(ToHex(header->destination), "20010db8007700000000000000000010");
  OctetVector again(kHeaderLen);
  Emit(*header, again.data());
  EXPECT_EQ(again, OctetVector(packet.begin(), packet.begin() + kHeaderLen));
}

TEST(Ip6, ErrorsAndTruncations) {
  OctetVector packet = FromHex(kUdpPacket);
  for (size_t len = 0; len < packet.size(); ++len) {
    const auto header = Parse(Octets(packet).first(len));
    ASSERT_FALSE(header.has_value()) << len;
    EXPECT_EQ(header.error(), len < 40 ? Error::kTruncated : Error::kBadPayloadLen);
  }
  packet.push_back(0);  // the link's padding
  EXPECT_TRUE(Parse(packet).has_value());
  packet[0] = 0x4a;
  EXPECT_EQ(Parse(packet).error(), Error::kBadVersion);
}

TEST(Ip6, UpperWithoutExtensions) {
  const auto upper = Find(FromHex(kUdpPacket));
  ASSERT_TRUE(upper.has_value());
  EXPECT_EQ(upper->protocol, kUdp);
  EXPECT_EQ(upper->offset, 40);
  EXPECT_FALSE(upper->is_fragment);
  EXPECT_FALSE(upper->has_routing_type0);
}

TEST(Ip6, WalksAlongExtensions) {
  // Hop-by-hop of 16 octets, destination options, routing type 2, authentication of 24, fragment.
  const std::string chain =
      "3c01000000000000 0000000000000000"
      "2b00000000000000"
      "3300020000000000"
      "2c04000000000000 0000000000000000 0000000000000000"
      "0600000100000007";
  std::string hex;
  std::copy_if(chain.begin(), chain.end(), std::back_inserter(hex),
               [](char c) { return c != ' '; });
  const OctetVector packet = Packet(kHopByHop, hex + "c0000050");
  const auto upper = Find(packet);
  ASSERT_TRUE(upper.has_value());
  EXPECT_EQ(upper->protocol, kTcp);
  EXPECT_EQ(upper->offset, 40 + 16 + 8 + 8 + 24 + 8);
  EXPECT_TRUE(upper->is_fragment);
  EXPECT_TRUE(upper->IsFirstFragment());
  EXPECT_FALSE(upper->has_routing_type0);
  // Every cut within the extension headers.
  for (uint16_t len = 0; len < 16 + 8 + 8 + 24 + 8; ++len) {
    OctetVector cut(packet.begin(), packet.begin() + 40 + len);
    StoreBe16(&cut[4], len);
    const auto result = Find(cut);
    ASSERT_FALSE(result.has_value()) << len;
    EXPECT_EQ(result.error(), Error::kBadExtension);
  }
}

TEST(Ip6, FragmentsAndRouting) {
  auto upper = Find(Packet(kFragment, "1100004900000007ffff"));
  ASSERT_TRUE(upper.has_value());
  EXPECT_TRUE(upper->is_fragment);
  EXPECT_EQ(upper->fragment_offset, 72);
  EXPECT_EQ(upper->protocol, kUdp);
  EXPECT_EQ(upper->offset, 48);
  // What follows a non-first fragment's header is data, whatever it looks like.
  upper = Find(Packet(kFragment, "3c00004900000007ffffffff"));
  ASSERT_TRUE(upper.has_value());
  EXPECT_EQ(upper->protocol, kDestinationOptions);
  EXPECT_EQ(upper->offset, 48);
  upper = Find(Packet(kRouting, "3b00000000000000"));
  ASSERT_TRUE(upper.has_value());
  EXPECT_TRUE(upper->has_routing_type0);
  EXPECT_EQ(upper->protocol, kNoNextHeader);
}

TEST(Ip6, TheWalkIsBounded) {
  std::string chain;
  for (int i = 0; i < 8; ++i) {
    chain += "3c00000000000000";
  }
  OctetVector packet = Packet(kDestinationOptions, chain);
  EXPECT_EQ(Find(packet).error(), Error::kBadExtension);
  packet[40 + 56] = kUdp;
  EXPECT_TRUE(Find(packet).has_value());
}

TEST(Ip6, Addresses) {
  auto address = [](const char* hex) {
    Address result{};
    const OctetVector octets = FromHex(hex);
    std::copy(octets.begin(), octets.end(), result.begin());
    return result;
  };
  const Address global = address("20010db8000100000000000000000080");
  const Address unspecified{};
  const Address loopback = address("00000000000000000000000000000001");
  const Address mapped = address("00000000000000000000ffffc0000201");
  const Address link_local = address("fe800000000000000000000000000001");
  const Address group = address("ff020000000000000000000000000001");
  EXPECT_TRUE(IsUnspecified(unspecified));
  EXPECT_TRUE(IsLoopback(loopback));
  EXPECT_TRUE(IsIpv4Mapped(mapped));
  EXPECT_TRUE(IsLinkLocal(link_local));
  EXPECT_TRUE(IsLinkLocal(address("febf0000000000000000000000000001")));
  EXPECT_FALSE(IsLinkLocal(address("fec00000000000000000000000000001")));
  EXPECT_TRUE(IsMulticast(group));
  for (const Address& good : {global, link_local}) {
    EXPECT_FALSE(IsMartianSource(good));
    EXPECT_FALSE(IsMartianDestination(good));
    EXPECT_FALSE(IsUnspecified(good) || IsLoopback(good) || IsIpv4Mapped(good));
  }
  for (const Address& bad : {unspecified, loopback, mapped}) {
    EXPECT_TRUE(IsMartianSource(bad));
    EXPECT_TRUE(IsMartianDestination(bad));
  }
  EXPECT_TRUE(IsMartianSource(group));
  EXPECT_FALSE(IsMartianDestination(group));
}

TEST(Ip6, ChecksumOfAnOddPayload) {
  // A UDP datagram of one octet of data; the sum was made by another program.
  const OctetVector packet = FromHex(kUdpPacket);
  const auto header = Parse(packet);
  OctetVector udp = FromHex("003500350009000061");
  const uint16_t sum = Checksum(header->source, header->destination, kUdp, udp);
  StoreBe16(&udp[6], sum);
  EXPECT_EQ(Checksum(header->source, header->destination, kUdp, udp), 0);
  EXPECT_EQ(ToHex(udp), "00350035000941f861");
}

}  // namespace
}  // namespace culvert::wire::ip6
