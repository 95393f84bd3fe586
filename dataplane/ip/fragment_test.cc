#include "dataplane/ip/fragment.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <random>

#include "dataplane/rig/rig.h"

namespace culvert::dataplane {
namespace {

constexpr uint32_t kSource = Ip(192, 0, 2, 80);
constexpr uint32_t kDestination = Ip(10, 77, 0, 10);

Bytes Counting(size_t len) {
  Bytes bytes(len);
  std::iota(bytes.begin(), bytes.end(), uint8_t{0});
  return bytes;
}

class FragmentTest : public ::testing::Test {
 protected:
  // Cut gives the fragments, or none on an error.
  std::vector<Bytes> Cut(const Bytes& octets, uint16_t mtu) {
    rte_mbuf* packet = rig_.NewMbuf(octets);
    std::array<rte_mbuf*, kMaxFragments> rest{};
    const auto header = wire::ip::ParseIpv4(octets);
    EXPECT_TRUE(header.has_value());
    const auto num = Fragment(packet, *header, mtu, rig_.mbufs(), rest);
    std::vector<Bytes> fragments;
    if (num.has_value()) {
      fragments.push_back(Take(packet));
      for (unsigned i = 0; i < *num; ++i) {
        fragments.push_back(Take(rest[i]));
      }
    } else {
      error_ = num.error();
      EXPECT_EQ(Take(packet), octets);
    }
    return fragments;
  }
  static Bytes Take(rte_mbuf* mbuf) {
    EXPECT_EQ(mbuf->nb_segs, 1);
    EXPECT_EQ(mbuf->pkt_len, mbuf->data_len);
    EXPECT_EQ(rte_pktmbuf_headroom(mbuf), RTE_PKTMBUF_HEADROOM);
    const auto* data = rte_pktmbuf_mtod(mbuf, const uint8_t*);
    Bytes octets(data, data + mbuf->data_len);
    rte_pktmbuf_free(mbuf);
    return octets;
  }

  Rig rig_{Rig::Options{}};
  FragmentError error_{};
};

TEST_F(FragmentTest, OctetForOctet) {
  const Bytes payload = Counting(60);
  auto slice = [&](size_t from, size_t to) {
    return Bytes(payload.begin() + static_cast<ptrdiff_t>(from),
                 payload.begin() + static_cast<ptrdiff_t>(to));
  };
  const auto fragments = Cut(MakeIpv4({kSource, kDestination, 17, 9, 0xbeef}, payload), 47);
  ASSERT_EQ(fragments.size(), 3u);  // 27 octets fit, that is 24
  EXPECT_EQ(fragments[0], MakeIpv4({kSource, kDestination, 17, 9, 0xbeef, 0x2000}, slice(0, 24)));
  EXPECT_EQ(fragments[1], MakeIpv4({kSource, kDestination, 17, 9, 0xbeef, 0x2003}, slice(24, 48)));
  EXPECT_EQ(fragments[2], MakeIpv4({kSource, kDestination, 17, 9, 0xbeef, 0x0006}, slice(48, 60)));
}

TEST_F(FragmentTest, WhatFitsStaysWhole) {
  const Bytes packet = MakeIpv4({kSource, kDestination}, Counting(24));
  EXPECT_EQ(Cut(packet, 44), std::vector<Bytes>{packet});
  EXPECT_EQ(Cut(packet, 1500), std::vector<Bytes>{packet});
}

TEST_F(FragmentTest, AFragmentIsCutAgain) {
  // The second of more: its last part is not the last of all.
  auto fragments = Cut(MakeIpv4({kSource, kDestination, 17, 64, 5, 0x2064}, Counting(16)), 28);
  ASSERT_EQ(fragments.size(), 2u);
  EXPECT_EQ(wire::LoadBe16(&fragments[0][6]), 0x2064);
  EXPECT_EQ(wire::LoadBe16(&fragments[1][6]), 0x2065);
  fragments = Cut(MakeIpv4({kSource, kDestination, 17, 64, 5, 0x0064}, Counting(16)), 28);
  ASSERT_EQ(fragments.size(), 2u);
  EXPECT_EQ(wire::LoadBe16(&fragments[0][6]), 0x2064);
  EXPECT_EQ(wire::LoadBe16(&fragments[1][6]), 0x0065);
}

TEST_F(FragmentTest, OptionsAreCopiedAsTheirFlagSays) {
  // Record route stays with the first, router alert (148) goes with all, padding by 0.
  const Bytes options = Hex("07 07 04 00000000  01  9404 0000");
  const Bytes payload = Counting(64);
  const auto fragments = Cut(MakeIpv4({kSource, kDestination, 17, 64, 1, 0, options}, payload), 48);
  ASSERT_EQ(fragments.size(), 3u);
  const auto at = payload.begin();
  EXPECT_EQ(fragments[0],
            MakeIpv4({kSource, kDestination, 17, 64, 1, 0x2000, options}, Bytes(at, at + 16)));
  EXPECT_EQ(fragments[1], MakeIpv4({kSource, kDestination, 17, 64, 1, 0x2002, Hex("94040000")},
                                   Bytes(at + 16, at + 40)));
  EXPECT_EQ(fragments[2], MakeIpv4({kSource, kDestination, 17, 64, 1, 0x0005, Hex("94040000")},
                                   Bytes(at + 40, at + 64)));
}

TEST_F(FragmentTest, OptionsThatLie) {
  for (const char* options : {"94ff0000", "9401 0000", "00940400", "01010194"}) {
    const auto fragments =
        Cut(MakeIpv4({kSource, kDestination, 17, 64, 1, 0, Hex(options)}, Counting(64)), 56);
    ASSERT_EQ(fragments.size(), 2u) << options;
    EXPECT_EQ(fragments[1][0], 0x45) << options;
    EXPECT_TRUE(wire::ip::ParseIpv4(fragments[1]).has_value()) << options;
  }
}

TEST_F(FragmentTest, Errors) {
  const Bytes packet = MakeIpv4({kSource, kDestination}, Counting(600));
  EXPECT_TRUE(Cut(packet, 27).empty());
  EXPECT_EQ(error_, FragmentError::kMtuTooSmall);
  EXPECT_TRUE(Cut(packet, 28).empty());  // 75
  EXPECT_EQ(error_, FragmentError::kTooMany);
  EXPECT_EQ(Cut(MakeIpv4({kSource, kDestination}, Counting(512)), 28).size(), 64u);
  EXPECT_TRUE(Cut(MakeIpv4({kSource, kDestination}, Counting(513)), 28).empty());
  std::vector<rte_mbuf*> all;
  rte_mbuf* kept = rte_pktmbuf_alloc(rig_.mbufs());
  rte_mbuf* kept_too = rte_pktmbuf_alloc(rig_.mbufs());
  while (rte_mbuf* mbuf = rte_pktmbuf_alloc(rig_.mbufs())) {
    all.push_back(mbuf);
  }
  rte_pktmbuf_free(kept);
  rte_pktmbuf_free(kept_too);
  EXPECT_TRUE(Cut(packet, 220).empty());  // two more wanted, one there
  EXPECT_EQ(error_, FragmentError::kNoBuffer);
  rte_pktmbuf_free_bulk(all.data(), static_cast<unsigned>(all.size()));
}

// What the receiver puts together again is what was sent.
TEST_F(FragmentTest, RandomPacketsComeTogetherAgain) {
  std::minstd_rand random(1);
  for (int round = 0; round < 2000; ++round) {
    Ipv4Spec spec{kSource, kDestination};
    spec.options.resize(random() % 11 * 4);
    for (uint8_t& octet : spec.options) {
      octet = static_cast<uint8_t>(random() % 4 == 0 ? random() : random() % 8);
    }
    Bytes payload(random() % 1400);
    for (uint8_t& octet : payload) {
      octet = static_cast<uint8_t>(random());
    }
    const Bytes packet = MakeIpv4(spec, payload);
    const auto mtu = static_cast<uint16_t>(100 + random() % 1400);
    Bytes together;
    bool last = false;
    for (const Bytes& octets : Cut(packet, mtu)) {
      const auto header = wire::ip::ParseIpv4(octets);
      ASSERT_TRUE(header.has_value());
      ASSERT_EQ(header->total_len, octets.size());
      ASSERT_LE(octets.size(), mtu);
      ASSERT_FALSE(last);
      ASSERT_EQ((header->fragment & 0x1fff) * 8u, together.size());
      last = (header->fragment & 0x2000) == 0;
      together = std::move(together) + Bytes(octets.begin() + header->header_len, octets.end());
    }
    ASSERT_TRUE(last);
    ASSERT_EQ(together, payload);
  }
}

}  // namespace
}  // namespace culvert::dataplane
