#include "proto/wire/ip/icmp.h"

#include <gtest/gtest.h>

#include "tests/vectors/vectors.h"

namespace culvert::wire::icmp {
namespace {

using culvert::testing::FromHex;
using culvert::testing::ToHex;
using OctetVector = std::vector<uint8_t>;

// A UDP packet from 192.0.2.80 to 10.77.0.10, DF set.
const char* const kPacket =
    "45000023beef40003f11b033c00002500a4d000a"
    "000102030405060708090a0b0c0d0e";
// ICMP 3/4 about it, MTU 1456, from 198.51.100.2, identification 0x1234.
const char* const kNeeded =
    "45c0003f1234000040017b44c6336402c0000250"
    "0304bf1a000005b0";
const char* const kPacketV6 =
    "600123450009113f20010db800010000000000000000008020010db8007700000000000000000010"
    "000102030405060708";
// ICMPv6 2/0 about it, MTU 1280, from 2001:db8::1.
const char* const kTooBigV6 =
    "6000000000393a4020010db800000000000000000000000120010db8000100000000000000000080"
    "0200977f00000500";

OctetVector With(OctetVector packet, size_t at, uint32_t value) {
  StoreBe32(&packet[at], value);
  StoreBe16(&packet[10], 0);
  StoreBe16(&packet[10], ip::Checksum(Octets(packet).first((packet[0] & 15U) * 4)));
  return packet;
}
bool May(const OctetVector& packet) {
  const auto header = ip::ParseIpv4(packet);
  EXPECT_TRUE(header.has_value());
  return MayAnswer(*header, packet);
}
bool MayV6(const OctetVector& packet, const Message& message = kNoRouteV6) {
  const auto header = ip6::Parse(packet);
  EXPECT_TRUE(header.has_value());
  return MayAnswerV6(*header, packet, message);
}

TEST(Icmp, EmitsOctetForOctet) {
  const OctetVector packet = FromHex(kPacket);
  OctetVector out(ErrorPacketLen(packet.size()));
  ASSERT_EQ(EmitErrorPacket(FragmentationNeeded(1456), 0xc6336402, 0xc0000250, 0x1234, packet, out),
            63u);
  EXPECT_EQ(ToHex(out), std::string(kNeeded) + kPacket);
  out.resize(62);
  const OctetVector before = out;
  EXPECT_EQ(EmitErrorPacket(kTimeExceeded, 1, 2, 3, packet, out), 0u);
  EXPECT_EQ(out, before);
}

TEST(Icmp, QuotesUpTo576Octets) {
  const OctetVector packet(1500, 0x45);
  OctetVector out(2000, 0xee);
  ASSERT_EQ(EmitErrorPacket(kHostUnreachable, 1, 2, 3, packet, out), 576u);
  EXPECT_EQ(out[576], 0xee);
  const auto header = ip::ParseIpv4(out);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->total_len, 576);
  EXPECT_EQ(ip::Checksum(Octets(out).subspan(20, 556)), 0);
  EXPECT_EQ(ErrorPacketLen(548), 576u);
  EXPECT_EQ(ErrorPacketLen(547), 575u);
}

TEST(Icmp, ParsesWhatItEmits) {
  const OctetVector packet = FromHex(kPacket);
  OctetVector out(ErrorPacketLen(packet.size()));
  for (const Message& message : {kNetworkUnreachable, kHostUnreachable, kProhibited, kTimeExceeded,
                                 FragmentationNeeded(68), FragmentationNeeded(0xffff)}) {
    ASSERT_EQ(EmitErrorPacket(message, 1, 2, 3, packet, out), out.size());
    const auto quoted = Parse(Octets(out).subspan(20));
    ASSERT_TRUE(quoted.has_value());
    EXPECT_EQ(quoted->message, message);
    EXPECT_EQ(quoted->protocol, 17);
    EXPECT_EQ(quoted->source, 0xc0000250u);
    EXPECT_EQ(quoted->destination, 0x0a4d000au);
    EXPECT_EQ(quoted->total_len, 35);
    EXPECT_TRUE(quoted->is_first_fragment);
    EXPECT_EQ(ToHex(quoted->payload), "000102030405060708090a0b0c0d0e");
  }
}

// FixSum puts an ICMP message's checksum right.
OctetVector FixSum(OctetVector message) {
  StoreBe16(&message[2], 0);
  StoreBe16(&message[2], ip::Checksum(message));
  return message;
}

TEST(Icmp, ParseErrorsAndTruncations) {
  const OctetVector good = FromHex(std::string(kNeeded).substr(40) + kPacket);
  ASSERT_TRUE(Parse(good).has_value());
  for (size_t len = 0; len < 28; ++len) {
    OctetVector cut(good.begin(), good.begin() + static_cast<ptrdiff_t>(len));
    if (len < 8) {
      EXPECT_EQ(Parse(cut).error(), ParseError::kTruncated) << len;
    } else {
      EXPECT_EQ(Parse(FixSum(cut)).error(), ParseError::kBadQuote) << len;
    }
  }
  OctetVector bad = good;
  bad[30] ^= 1;
  EXPECT_EQ(Parse(bad).error(), ParseError::kBadChecksum);
  for (const uint8_t type : {0, 1, 8, 13, 18, 40}) {
    bad = good;
    bad[0] = type;
    EXPECT_EQ(Parse(FixSum(bad)).error(), ParseError::kNotAnError) << int{type};
  }
  for (const uint8_t first : {0x65, 0x44, 0x4f}) {  // version, header length, beyond what is there
    bad = good;
    bad[8] = first;
    bad.resize(8 + 20 + 8);
    EXPECT_EQ(Parse(FixSum(bad)).error(), ParseError::kBadQuote) << int{first};
  }
  bad = good;
  bad[8 + 7] = 1;  // fragment offset
  EXPECT_FALSE(Parse(FixSum(bad))->is_first_fragment);
}

TEST(Icmp, MayAnswer) {
  const OctetVector packet = FromHex(kPacket);
  EXPECT_TRUE(May(packet));
  for (const uint32_t source : {0u, 0x7f000001u, 0xe0000001u, 0xf0000001u, 0xffffffffu}) {
    EXPECT_FALSE(May(With(packet, 12, source))) << source;
  }
  for (const uint32_t destination : {0xe0000005u, 0xffffffffu, 0x7f000001u}) {
    EXPECT_FALSE(May(With(packet, 16, destination))) << destination;
  }
  EXPECT_TRUE(May(With(packet, 4, 0xbeef2000)));  // the first fragment
  EXPECT_FALSE(May(With(packet, 4, 0xbeef2001)));
  EXPECT_FALSE(May(With(packet, 4, 0xbeef0001)));
}

TEST(Icmp, MayAnswerIcmp) {
  const OctetVector packet = With(FromHex(kPacket), 8, 0x40010000);
  for (unsigned type = 0; type < 256; ++type) {
    OctetVector icmp = packet;
    icmp[20] = static_cast<uint8_t>(type);
    const bool query = type == 0 || (type >= 8 && type <= 10) || (type >= 13 && type <= 18);
    EXPECT_EQ(May(icmp), query) << type;
  }
  OctetVector empty = packet;
  empty.resize(20);
  EXPECT_FALSE(May(With(empty, 0, 0x45000014)));
}

TEST(Icmp6, EmitsOctetForOctet) {
  const OctetVector packet = FromHex(kPacketV6);
  const auto header = ip6::Parse(packet);
  ASSERT_TRUE(header.has_value());
  ip6::Address own{0x20, 0x01, 0x0d, 0xb8};
  own[15] = 1;
  OctetVector out(ErrorPacketLenV6(packet.size()));
  ASSERT_EQ(EmitErrorPacketV6(PacketTooBigV6(1280), own, header->source, packet, out), out.size());
  EXPECT_EQ(ToHex(out), std::string(kTooBigV6) + kPacketV6);
  out.pop_back();
  EXPECT_EQ(EmitErrorPacketV6(kNoRouteV6, own, header->source, packet, out), 0u);
}

TEST(Icmp6, QuotesUpTo1280Octets) {
  const OctetVector packet(1500, 0x60);
  OctetVector out(2000, 0xee);
  const ip6::Address own{0x20, 0x01};
  ASSERT_EQ(EmitErrorPacketV6(kTimeExceededV6, own, own, packet, out), 1280u);
  EXPECT_EQ(out[1280], 0xee);
  EXPECT_EQ(ip6::Checksum(own, own, ip6::kIcmp, Octets(out).subspan(40, 1240)), 0);
}

TEST(Icmp6, MayAnswer) {
  const OctetVector packet = FromHex(kPacketV6);
  EXPECT_TRUE(MayV6(packet));
  OctetVector other = packet;
  other[8] = 0xff;  // from a group
  EXPECT_FALSE(MayV6(other));
  other = packet;
  std::fill_n(other.begin() + 8, 16, uint8_t{0});
  EXPECT_FALSE(MayV6(other));
  other = packet;
  other[24] = 0xff;  // to a group
  EXPECT_FALSE(MayV6(other));
  EXPECT_TRUE(MayV6(other, PacketTooBigV6(1280)));
  for (const auto& [type, may] : {std::pair<uint8_t, bool>{1, false},
                                  {2, false},
                                  {4, false},
                                  {127, false},
                                  {128, true},
                                  {129, true},
                                  {137, false}}) {
    other = packet;
    other[6] = ip6::kIcmp;
    other[40] = type;
    EXPECT_EQ(MayV6(other), may) << int{type};
  }
  other = packet;
  other[6] = ip6::kFragment;  // next header 0, offset 0x0200, that is: not the first
  EXPECT_FALSE(MayV6(other));
  other[6] = ip6::kRouting;  // cut short
  other[41] = 9;
  EXPECT_FALSE(MayV6(other));
}

}  // namespace
}  // namespace culvert::wire::icmp
