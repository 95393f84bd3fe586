#include "dataplane/ip/reassembly.h"

#include <gtest/gtest.h>
#include <rte_mempool.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "dataplane/rig/rig.h"

namespace culvert::dataplane {
namespace {

using Outcome = Reassembly::Outcome;

constexpr uint32_t kSource = Ip(10, 99, 0, 2);
constexpr uint32_t kDestination = Ip(10, 99, 0, 1);
constexpr uint16_t kIpOffset = 14;

Bytes Counting(size_t len) {
  Bytes bytes(len);
  std::iota(bytes.begin(), bytes.end(), uint8_t{3});
  return bytes;
}

Ipv4Spec Spec(uint16_t id, uint32_t source = kSource) { return {source, kDestination, 47, 60, id}; }

class ReassemblyTest : public ::testing::Test {
 protected:
  ~ReassemblyTest() override {
    // The rig checks that no mbuf is missing.
    reassembly_.reset();
  }
  void Make(const Reassembly::Options& options) {
    reassembly_ = std::make_unique<Reassembly>(options);
  }
  // Add gives [from, to) of `payload` as a fragment; what is complete goes to whole_.
  Outcome Add(const Bytes& payload, size_t from, size_t to, bool more, Ipv4Spec spec = Spec(7)) {
    spec.fragment = static_cast<uint16_t>(from / 8 | (more ? 0x2000 : 0));
    return AddPacket(MakeIpv4(spec, Bytes(payload.begin() + static_cast<ptrdiff_t>(from),
                                          payload.begin() + static_cast<ptrdiff_t>(to))));
  }
  Outcome AddPacket(const Bytes& octets) {
    const auto header = wire::ip::ParseIpv4(octets);
    EXPECT_TRUE(header.has_value());
    rte_mbuf* mbuf = rig_.NewMbuf(Bytes(kIpOffset, 0xee) + octets + Bytes(5, 0xaa));  // padding
    const auto result = reassembly_->Add(mbuf, *header, kIpOffset, now_ms_);
    num_evicted_ += result.evicted ? 1 : 0;
    if (result.outcome != Outcome::kHeld) {
      rte_pktmbuf_free(mbuf);
    }
    EXPECT_EQ(result.whole != nullptr, result.outcome == Outcome::kComplete);
    if (result.whole != nullptr) {
      EXPECT_EQ(result.whole->nb_segs, 1);
      EXPECT_EQ(result.whole->pkt_len, result.whole->data_len);
      const auto* data = rte_pktmbuf_mtod(result.whole, const uint8_t*);
      EXPECT_EQ(Bytes(data, data + kIpOffset), Bytes(kIpOffset, 0xee));
      whole_.assign(data + kIpOffset, data + result.whole->data_len);
      rte_pktmbuf_free(result.whole);
    }
    EXPECT_EQ(rte_mempool_in_use_count(rig_.mbufs()), reassembly_->num_held());
    return result.outcome;
  }
  // WithoutFirst floods with fragments whose first one never comes.
  Outcome WithoutFirst(uint16_t id, uint32_t source) {
    return Add(Counting(100), 40, 80, true, Spec(id, source));
  }

  Rig rig_{Rig::Options{}};
  std::unique_ptr<Reassembly> reassembly_ = std::make_unique<Reassembly>(Reassembly::Options{});
  uint32_t now_ms_ = 0xfffffff0;  // the clock wraps
  unsigned num_evicted_ = 0;
  Bytes whole_;
};

TEST_F(ReassemblyTest, EveryOrder) {
  const Bytes payload = Counting(1003);
  std::vector<std::pair<size_t, size_t>> pieces = {{0, 400}, {400, 800}, {800, 960}, {960, 1003}};
  std::sort(pieces.begin(), pieces.end());
  uint16_t id = 0;
  do {
    ++id;
    whole_.clear();
    for (size_t i = 0; i < pieces.size(); ++i) {
      const Outcome outcome =
          Add(payload, pieces[i].first, pieces[i].second, pieces[i].second != 1003, Spec(id));
      EXPECT_EQ(outcome, i == 0 ? Outcome::kHeld : i == 3 ? Outcome::kComplete : Outcome::kCopied);
    }
    ASSERT_EQ(whole_, MakeIpv4(Spec(id), payload));
  } while (std::next_permutation(pieces.begin(), pieces.end()));
  EXPECT_EQ(id, 24);
  EXPECT_EQ(reassembly_->num_held(), 0u);
}

TEST_F(ReassemblyTest, OptionsAreLeftOut) {
  const Bytes payload = Counting(100);
  Ipv4Spec spec = Spec(9);
  spec.options = Hex("01010101 94040000");
  EXPECT_EQ(Add(payload, 48, 100, false, spec), Outcome::kHeld);
  EXPECT_EQ(Add(payload, 0, 48, true, spec), Outcome::kComplete);
  EXPECT_EQ(whole_, MakeIpv4(Spec(9), payload));
}

TEST_F(ReassemblyTest, DatagramsAreToldApart) {
  const Bytes payload = Counting(64);
  const Bytes other = Bytes(64, 0x77);
  EXPECT_EQ(Add(payload, 0, 32, true, Spec(1)), Outcome::kHeld);
  EXPECT_EQ(Add(other, 32, 64, false, Spec(2)), Outcome::kHeld);
  EXPECT_EQ(Add(other, 32, 64, false, Spec(1, kSource + 1)), Outcome::kHeld);
  EXPECT_EQ(Add(payload, 32, 64, false, Spec(1)), Outcome::kComplete);
  EXPECT_EQ(whole_, MakeIpv4(Spec(1), payload));
  EXPECT_EQ(reassembly_->num_held(), 2u);
}

TEST_F(ReassemblyTest, Duplicates) {
  const Bytes payload = Counting(64);
  EXPECT_EQ(Add(payload, 0, 32, true), Outcome::kHeld);
  EXPECT_EQ(Add(payload, 0, 32, true), Outcome::kDuplicate);
  EXPECT_EQ(Add(payload, 8, 24, true), Outcome::kDuplicate);
  EXPECT_EQ(Add(payload, 32, 64, false), Outcome::kComplete);
  EXPECT_EQ(whole_, MakeIpv4(Spec(7), payload));
}

TEST_F(ReassemblyTest, OverlapsEndTheDatagram) {
  const Bytes payload = Counting(96);
  const std::tuple<size_t, size_t, bool> bad[] = {
      {24, 40, true},   // half of it is there
      {48, 90, false},  // a second end
      {88, 96, true},   // beyond the end
      {64, 72, false},  // an end before what is there
  };
  for (const auto& [from, to, more] : bad) {
    EXPECT_EQ(Add(payload, 0, 32, true), Outcome::kHeld);
    EXPECT_EQ(Add(payload, 80, 88, false), Outcome::kCopied);
    EXPECT_EQ(Add(payload, from, to, more), Outcome::kOverlap) << from;
    EXPECT_EQ(reassembly_->num_held(), 0u);
  }
  EXPECT_EQ(Add(payload, 48, 96, true), Outcome::kHeld);
  EXPECT_EQ(Add(payload, 32, 48, false), Outcome::kOverlap);
  EXPECT_EQ(reassembly_->num_held(), 0u);
}

TEST_F(ReassemblyTest, BadFragments) {
  const Bytes payload = Counting(1400);
  EXPECT_EQ(Add(payload, 0, 33, true), Outcome::kBad);   // no multiple of 8
  EXPECT_EQ(Add(payload, 0, 8, true), Outcome::kBad);    // no whole GRE header
  EXPECT_EQ(Add(payload, 40, 40, true), Outcome::kBad);  // nothing
  Ipv4Spec spec = Spec(7);
  spec.fragment = 0x1fff;  // beyond what a datagram may be
  EXPECT_EQ(AddPacket(MakeIpv4(spec, Counting(8))), Outcome::kBad);
  // Beyond the mbuf's room, first or later.
  spec.fragment = 2000 / 8;
  EXPECT_EQ(AddPacket(MakeIpv4(spec, Counting(100))), Outcome::kBad);
  EXPECT_EQ(reassembly_->num_held(), 0u);
  EXPECT_EQ(Add(payload, 0, 1400, true), Outcome::kHeld);
  spec.fragment = 1400 / 8;
  EXPECT_EQ(AddPacket(MakeIpv4(spec, Counting(800))), Outcome::kBad);
  EXPECT_EQ(reassembly_->num_held(), 1u);
}

TEST_F(ReassemblyTest, TimesOut) {
  const Bytes payload = Counting(64);
  EXPECT_EQ(Add(payload, 0, 32, true), Outcome::kHeld);
  now_ms_ += 999;
  EXPECT_EQ(Add(payload, 32, 64, false), Outcome::kComplete);
  EXPECT_EQ(Add(payload, 0, 32, true), Outcome::kHeld);
  now_ms_ += 1000;
  EXPECT_EQ(Add(payload, 32, 64, false), Outcome::kHeld);  // too late: a new one
  EXPECT_EQ(reassembly_->num_held(), 1u);
  EXPECT_EQ(reassembly_->Expire(now_ms_), 1u);
  // Nobody comes any more: a round every millisecond finds it.
  unsigned num = 0;
  for (int i = 0; i < 1000 + 64; ++i) {
    num += reassembly_->Expire(++now_ms_);
  }
  EXPECT_EQ(num, 1u);
  EXPECT_EQ(reassembly_->num_held(), 0u);
}

TEST_F(ReassemblyTest, HoldsNoMoreThanAllowed) {
  Make({64, 1000});
  std::minstd_rand random(1);
  for (int i = 0; i < 20000; ++i) {
    const bool first = random() % 2 == 0;
    const Ipv4Spec spec = Spec(static_cast<uint16_t>(random()), static_cast<uint32_t>(random()));
    const Outcome outcome = Add(Counting(100), first ? 0 : 40, 80, true, spec);
    ASSERT_TRUE(outcome == Outcome::kHeld || outcome == Outcome::kFull);
    ASSERT_LE(reassembly_->num_held(), 64u);
  }
  EXPECT_EQ(reassembly_->num_held(), 64u);
  EXPECT_GT(num_evicted_, 0u);
}

// A flood without first fragments, from the client's own address too, keeps out nobody whose
// fragments come in order.
TEST_F(ReassemblyTest, FloodDoesNotKeepOutGoodOnes) {
  const Bytes payload = Counting(1200);
  std::minstd_rand random(2);
  for (uint16_t id = 0; id < 200; ++id) {
    EXPECT_EQ(Add(payload, 0, 600, true, Spec(id)), Outcome::kHeld);
    for (uint16_t i = 0; i < 500; ++i) {
      WithoutFirst(static_cast<uint16_t>(1000 + i), static_cast<uint32_t>(random()));
      WithoutFirst(static_cast<uint16_t>(1000 + i), kSource);
    }
    EXPECT_EQ(Add(payload, 600, 1200, false, Spec(id)), Outcome::kComplete) << id;
    EXPECT_EQ(whole_, MakeIpv4(Spec(id), payload));
  }
  EXPECT_LE(reassembly_->num_held(), 512u);
}

// First fragments that are never followed harm who sends them first: the oldest of his goes.
TEST_F(ReassemblyTest, OneSourceHarmsItselfFirst) {
  const Bytes payload = Counting(64);
  for (uint16_t id = 0; id < 100; ++id) {
    EXPECT_EQ(Add(payload, 0, 32, true, Spec(id)), Outcome::kHeld);
    ++now_ms_;
  }
  EXPECT_EQ(reassembly_->num_held(), 8u);
  EXPECT_EQ(num_evicted_, 92u);
  EXPECT_EQ(Add(payload, 32, 64, false, Spec(92)), Outcome::kComplete);
  EXPECT_EQ(Add(payload, 32, 64, false, Spec(99)), Outcome::kComplete);
}

TEST_F(ReassemblyTest, RandomPacketsInRandomOrder) {
  std::minstd_rand random(3);
  for (uint16_t id = 0; id < 1000; ++id) {
    Bytes payload(16 + random() % 1800);
    for (uint8_t& octet : payload) {
      octet = static_cast<uint8_t>(random());
    }
    std::vector<std::pair<size_t, size_t>> pieces;
    for (size_t at = 0; at < payload.size();) {
      const size_t to = std::min<size_t>(payload.size(), at + 8 * (2 + random() % 60));
      pieces.emplace_back(at, to);
      at = to;
    }
    std::shuffle(pieces.begin(), pieces.end(), random);
    Outcome outcome = Outcome::kBad;
    for (const auto& [from, to] : pieces) {
      outcome = Add(payload, from, to, to != payload.size(), Spec(id));
    }
    if (pieces.size() > 1) {
      ASSERT_EQ(outcome, Outcome::kComplete);
      ASSERT_EQ(whole_, MakeIpv4(Spec(id), payload));
    }
    now_ms_ += 1000;
  }
}

}  // namespace
}  // namespace culvert::dataplane
