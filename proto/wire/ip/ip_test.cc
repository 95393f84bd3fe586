#include "proto/wire/ip/ip.h"

#include <gtest/gtest.h>

#include "tests/vectors/vectors.h"

namespace culvert::wire::ip {
namespace {

using culvert::testing::FromHex;
using culvert::testing::ToHex;
using culvert::testing::Vectors;
using OctetVector = std::vector<uint8_t>;

std::string Checked(const char* entry, const char* field) {
  return Vectors()["checksum"][entry][field].get<std::string>();
}

uint16_t Word(const char* entry, const char* field) {
  return LoadBe16(FromHex(Checked(entry, field)).data());
}

// FixChecksum makes the header's checksum right.
void FixChecksum(OctetVector* packet) {
  const size_t header_len = static_cast<size_t>((*packet)[0] & 15) * 4;
  StoreBe16(&(*packet)[10], 0);
  StoreBe16(&(*packet)[10], Checksum(Octets(*packet).first(header_len)));
}

OctetVector Packet(Octets payload, uint8_t protocol, size_t options_len = 0) {
  const size_t header_len = 20 + options_len;
  OctetVector packet(header_len, 1);  // options: no operation
  const OctetVector fixed = FromHex(
      "450000001234400040000000"
      "0a000002"
      "c0000201");
  std::copy(fixed.begin(), fixed.end(), packet.begin());
  packet[0] = static_cast<uint8_t>(0x40 | header_len / 4);
  packet[9] = protocol;
  packet.insert(packet.end(), payload.begin(), payload.end());
  StoreBe16(&packet[2], static_cast<uint16_t>(packet.size()));
  FixChecksum(&packet);
  return packet;
}

// TcpChecksum over the pseudo-header (RFC 9293 s3.1): 0 when the checksum in it is right.
uint16_t TcpChecksum(const OctetVector& packet) {
  const size_t header_len = static_cast<size_t>(packet[0] & 15) * 4;
  OctetVector octets(packet.begin() + 12, packet.begin() + 20);
  octets.insert(octets.end(), {0, 6, 0, 0});
  StoreBe16(&octets[10], static_cast<uint16_t>(packet.size() - header_len));
  octets.insert(octets.end(), packet.begin() + static_cast<ptrdiff_t>(header_len), packet.end());
  return Checksum(octets);
}

// Syn has `options` (a multiple of four octets) behind a header with a right checksum.
OctetVector Syn(const std::string& options, uint8_t flags = 0x02, const std::string& data = "") {
  OctetVector tcp = FromHex("c000005012345678000000000002faf000000000" + options + data);
  tcp[12] = static_cast<uint8_t>((20 + options.size() / 2) / 4 << 4);
  tcp[13] = flags;
  OctetVector packet = Packet(tcp, 6);
  StoreBe16(&packet[36], TcpChecksum(packet));
  EXPECT_EQ(TcpChecksum(packet), 0);
  return packet;
}

bool Clamp(OctetVector* packet, uint16_t mss) {
  const auto header = ParseIpv4(*packet);
  EXPECT_TRUE(header.has_value());
  return ClampTcpMss(*packet, *header, mss);
}

TEST(Checksum, Rfc1624) {
  EXPECT_EQ(UpdateChecksum(Word("rfc1624", "hc"), Word("rfc1624", "m"), Word("rfc1624", "m_new")),
            Word("rfc1624", "hc_new"));
}

TEST(Checksum, UpdateIsTheSameAsSummingAgain) {
  OctetVector octets = FromHex("450000541234400040010e640a00000208080808");
  for (uint32_t word = 0; word <= 0xffff; word += 7) {
    const uint16_t from = LoadBe16(&octets[4]);
    const uint16_t before = LoadBe16(&octets[10]);
    StoreBe16(&octets[4], static_cast<uint16_t>(word));
    StoreBe16(&octets[10], UpdateChecksum(before, from, static_cast<uint16_t>(word)));
    ASSERT_EQ(Checksum(octets), 0) << word;
  }
}

TEST(Checksum, MadeFromWords) {
  for (uint32_t i = 0; i < 2000; ++i) {
    OctetVector octets = FromHex("450000541234400040010000ffff0008fffe0808");
    StoreBe16(&octets[2], static_cast<uint16_t>(i * 37));
    StoreBe32(&octets[12], i * 0x9e3779b9);
    StoreBe32(&octets[16], ~(i * 0x85ebca6b));
    uint32_t words = 0;
    for (size_t at = 0; at < 10; at += 2) {
      words += LoadBe16(&octets[at]);
    }
    StoreBe16(&octets[10], MakeIpv4Checksum(words, LoadBe32(&octets[12]), LoadBe32(&octets[16])));
    ASSERT_EQ(Checksum(octets), 0) << i;
  }
}

TEST(Checksum, EveryLength) {
  // By the definition of RFC 1071, octet by octet.
  OctetVector octets;
  for (size_t len = 0; len < 70; ++len) {
    uint32_t sum = 0;
    for (size_t i = 0; i < len; ++i) {
      sum += i % 2 == 0 ? octets[i] << 8 : octets[i];
    }
    while (sum > 0xffff) {
      sum = (sum & 0xffff) + (sum >> 16);
    }
    EXPECT_EQ(Checksum(octets), static_cast<uint16_t>(~sum)) << len;
    octets.push_back(static_cast<uint8_t>(0xff - len * 3));
  }
  EXPECT_EQ(Checksum(OctetVector(65535, 0xff)), 0x00ff);
}

TEST(Ipv4, ParsesTheFields) {
  const OctetVector packet = Packet(FromHex("0102030405"), 17, 4);
  const auto header = ParseIpv4(packet);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->header_len, 24);
  EXPECT_EQ(header->total_len, 29);
  EXPECT_EQ(header->tos, 0);
  EXPECT_EQ(header->ttl, 64);
  EXPECT_EQ(header->protocol, 17);
  EXPECT_EQ(header->source, 0x0a000002u);
  EXPECT_EQ(header->destination, 0xc0000201u);
  EXPECT_TRUE(header->DontFragment());
  EXPECT_FALSE(header->IsFragment());
}

TEST(Ipv4, Fragments) {
  OctetVector packet = Packet(OctetVector(8), 17);
  const std::tuple<uint16_t, bool, bool> cases[] = {
      {0x0000, false, true}, {0x2000, true, true}, {0x2001, true, false}, {0x0001, true, false}};
  for (const auto& [field, fragment, first] : cases) {
    StoreBe16(&packet[6], field);
    FixChecksum(&packet);
    EXPECT_EQ(ParseIpv4(packet)->IsFragment(), fragment) << field;
    EXPECT_EQ(ParseIpv4(packet)->IsFirstFragment(), first) << field;
    EXPECT_FALSE(ParseIpv4(packet)->DontFragment());
  }
}

TEST(Ipv4, EveryTruncation) {
  const OctetVector packet = Packet(FromHex("0102030405"), 17, 4);
  for (size_t len = 0; len < packet.size(); ++len) {
    const OctetVector cut(packet.begin(), packet.begin() + static_cast<ptrdiff_t>(len));
    ASSERT_FALSE(ParseIpv4(cut).has_value()) << len;
    EXPECT_EQ(ParseIpv4(cut).error(), len < 20 ? Error::kTruncated : Error::kBadTotalLen) << len;
  }
  OctetVector padded = packet;
  padded.resize(60);
  EXPECT_EQ(ParseIpv4(padded)->total_len, packet.size());
}

TEST(Ipv4, EveryError) {
  const OctetVector good = Packet(FromHex("01020304"), 17);
  OctetVector bad = good;
  for (const uint8_t version : {0, 3, 5, 6, 15}) {
    bad[0] = static_cast<uint8_t>(version << 4 | 5);
    EXPECT_EQ(ParseIpv4(bad).error(), Error::kBadVersion);
  }
  for (const uint8_t ihl : {0, 1, 4}) {
    bad[0] = static_cast<uint8_t>(0x40 | ihl);
    EXPECT_EQ(ParseIpv4(bad).error(), Error::kBadHeaderLen);
  }
  bad[0] = 0x4f;
  EXPECT_EQ(ParseIpv4(bad).error(), Error::kBadTotalLen);
  for (const uint16_t total_len : {0, 19, 25, 0xffff}) {
    bad = good;
    StoreBe16(&bad[2], total_len);
    FixChecksum(&bad);
    EXPECT_EQ(ParseIpv4(bad).error(), Error::kBadTotalLen) << total_len;
  }
  for (size_t at = 1; at < 20; ++at) {
    if (at == 2 || at == 3) {
      continue;  // the length
    }
    bad = good;
    bad[at] ^= 0x40;
    EXPECT_EQ(ParseIpv4(bad).error(), Error::kBadChecksum) << at;
  }
}

TEST(Ipv4, DecrementTtl) {
  OctetVector header = FromHex(Checked("ttl_decrement", "before"));
  DecrementTtl(header.data());
  EXPECT_EQ(ToHex(header), Checked("ttl_decrement", "after"));
  for (uint32_t identifier = 0; identifier <= 0xffff; identifier += 5) {  // all kinds of carries
    OctetVector packet = Packet({}, 17);
    StoreBe16(&packet[4], static_cast<uint16_t>(identifier));
    packet[8] = static_cast<uint8_t>(2 + identifier % 254);
    FixChecksum(&packet);
    const uint8_t ttl = packet[8];
    DecrementTtl(packet.data());
    ASSERT_EQ(packet[8], ttl - 1);
    ASSERT_EQ(Checksum(packet), 0) << identifier;
  }
}

TEST(Mss, Vector) {
  const OctetVector tcp = FromHex(Checked("mss_clamp", "before"));
  OctetVector packet = Packet(tcp, 6);
  ASSERT_EQ(TcpChecksum(packet), 0);
  EXPECT_TRUE(Clamp(&packet, 1356));
  EXPECT_EQ(ToHex(Octets(packet).subspan(20)), Checked("mss_clamp", "after"));
  EXPECT_FALSE(Clamp(&packet, 1356));
}

TEST(Mss, EvenAndOddOffsetsAndEveryValue) {
  for (const char* nops : {"", "01", "0101", "010101"}) {
    std::string options = std::string(nops) + "020405b4";
    options.resize((options.size() + 7) / 8 * 8, '0');
    for (const uint16_t mss : {0, 1, 255, 256, 536, 1356, 1459}) {
      OctetVector packet = Syn(options, 0x12, "68656c6c6f");
      ASSERT_TRUE(Clamp(&packet, mss)) << options;
      const size_t at = 40 + std::string(nops).size() / 2 + 2;
      EXPECT_EQ(LoadBe16(&packet[at]), mss) << options;
      EXPECT_EQ(TcpChecksum(packet), 0) << options << ' ' << mss;
    }
  }
}

TEST(Mss, NeverRaisesAndNeverAdds) {
  for (const char* options : {"", "020405b4", "01010101", "00000000", "0303070101010101"}) {
    OctetVector packet = Syn(options);
    const OctetVector before = packet;
    EXPECT_FALSE(Clamp(&packet, 1460)) << options;
    EXPECT_FALSE(Clamp(&packet, 65535)) << options;
    EXPECT_EQ(packet, before);
  }
  OctetVector lower = Syn("020405b4");
  EXPECT_TRUE(Clamp(&lower, 1459));
}

TEST(Mss, FindsTheOptionBehindOthersButNotBehindTheEnd) {
  OctetVector behind =
      Syn("0402080a0000000000000000"
          "020405b4"
          "01030307");
  EXPECT_TRUE(Clamp(&behind, 1000));
  OctetVector ended = Syn("00020405b4000000");
  EXPECT_FALSE(Clamp(&ended, 1000));
}

TEST(Mss, LyingOptionsEndTheSearch) {
  for (const char* options : {"0300020405b40000", "0301020405b40000", "03ff020405b40000",
                              "02030502020501b4", "0206000005b40000", "01010102", "01020405"}) {
    OctetVector packet = Syn(options);
    const OctetVector before = packet;
    EXPECT_FALSE(Clamp(&packet, 100)) << options;
    EXPECT_EQ(packet, before) << options;
  }
}

TEST(Mss, LeavesEverythingElseAlone) {
  OctetVector no_syn = Syn("020405b4", 0x10);
  EXPECT_FALSE(Clamp(&no_syn, 100));
  OctetVector udp = Syn("020405b4");
  udp[9] = 17;
  FixChecksum(&udp);
  EXPECT_FALSE(Clamp(&udp, 100));
  OctetVector later_fragment = Syn("020405b4");
  StoreBe16(&later_fragment[6], 0x0001);
  FixChecksum(&later_fragment);
  EXPECT_FALSE(Clamp(&later_fragment, 100));
  OctetVector first_fragment = Syn("020405b4");
  StoreBe16(&first_fragment[6], 0x2000);
  FixChecksum(&first_fragment);
  EXPECT_TRUE(Clamp(&first_fragment, 100));
}

TEST(Mss, EveryTruncationAndDataOffset) {
  const OctetVector whole =
      Syn("0402010101010101"
          "020405b4");
  for (size_t len = 20; len < whole.size(); ++len) {
    OctetVector cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(len));
    StoreBe16(&cut[2], static_cast<uint16_t>(len));
    FixChecksum(&cut);
    const OctetVector before = cut;
    EXPECT_FALSE(Clamp(&cut, 100)) << len;
    EXPECT_EQ(cut, before);
  }
  for (uint8_t offset = 0; offset < 16; ++offset) {
    OctetVector packet = whole;
    packet[32] = static_cast<uint8_t>(offset << 4);
    EXPECT_EQ(Clamp(&packet, 100), offset == 8) << int{offset};
  }
}

TEST(Martians, Rfc1812) {
  for (const uint32_t address : {0x00000000u, 0x00ffffffu, 0x7f000001u, 0x7fffffffu, 0xa9fe0000u,
                                 0xa9feffffu, 0xf0000000u, 0xffffffffu}) {
    EXPECT_TRUE(IsMartianSource(address)) << std::hex << address;
    EXPECT_TRUE(IsMartianDestination(address)) << std::hex << address;
  }
  for (const uint32_t address : {0x01000000u, 0x0a000001u, 0x7effffffu, 0x80000000u, 0xa9fdffffu,
                                 0xa9ff0000u, 0xc0a80001u, 0xdfffffffu}) {
    EXPECT_FALSE(IsMartianSource(address)) << std::hex << address;
    EXPECT_FALSE(IsMartianDestination(address)) << std::hex << address;
  }
  EXPECT_TRUE(IsMartianSource(0xe0000000));
  EXPECT_TRUE(IsMartianSource(0xefffffff));
  EXPECT_FALSE(IsMartianDestination(0xe0000001));
}

}  // namespace
}  // namespace culvert::wire::ip
