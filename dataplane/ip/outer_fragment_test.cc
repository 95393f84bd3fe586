// Fragments of GRE packets on their way through the workers.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "dataplane/rig/call_rig.h"

namespace culvert::dataplane {
namespace {

const Bytes kIpv4Frame = Hex("ff03 0021");

// Gre gives a GRE packet of the call with an inner packet of `len` octets of payload.
Bytes Gre(size_t len, uint32_t sequence, uint16_t call_id = kCallId) {
  wire::gre::Header header;
  header.call_id = call_id;
  header.has_sequence = true;
  header.sequence = sequence;
  return MakeGre(header, kIpv4Frame + CallRig::PacketToServer(len));
}

// Pieces cuts a payload into fragments of `len` octets of payload.
std::vector<Bytes> Pieces(const Bytes& payload, size_t len, uint16_t id, uint32_t source = kPeer) {
  std::vector<Bytes> pieces;
  for (size_t at = 0; at < payload.size(); at += len) {
    const size_t end = std::min(at + len, payload.size());
    Ipv4Spec spec{source, kLocal, wire::gre::kIpProtocol, 60, id};
    spec.fragment = static_cast<uint16_t>(at / 8 | (end == payload.size() ? 0 : 0x2000));
    pieces.push_back(MakeIpv4(spec, Bytes(payload.begin() + static_cast<ptrdiff_t>(at),
                                          payload.begin() + static_cast<ptrdiff_t>(end))));
  }
  return pieces;
}

Bytes AtServer(size_t len) { return WithTtl(CallRig::PacketToServer(len), 63); }

TEST(OuterFragmentTest, GoesOnAsOnePacket) {
  CallRig rig;
  rig.Program(CallRig::Spec());
  uint32_t sequence = 0;
  for (const size_t len : {8, 24, 48, 504}) {
    for (const bool backwards : {false, true}) {
      if (backwards && len < 16) {
        continue;
      }
      auto pieces =
          Pieces(Gre(1400, sequence), std::max<size_t>(len, 16), static_cast<uint16_t>(sequence));
      ++sequence;
      if (backwards) {
        std::reverse(pieces.begin(), pieces.end());
      }
      for (const Bytes& piece : pieces) {
        rig.ReceiveIpv4(0, piece);
      }
      rig.Run();
      const auto sent = rig.Sent(1);
      ASSERT_EQ(sent.size(), 1u) << len;
      EXPECT_EQ(WithoutEthernet(sent[0]), AtServer(1400));
    }
  }
  EXPECT_EQ(rig.TotalDrops(), 0u);
  // The call's counters saw whole packets.
  EXPECT_EQ(rig.datapath().CallCounters()[0].second.upstream_packets, sequence);
}

TEST(OuterFragmentTest, OrderAmongWholePacketsIsThatOfTheLastFragment) {
  CallRig rig;
  rig.Program(CallRig::Spec());
  const auto pieces = Pieces(Gre(1000, 0), 504, 1);
  rig.ReceiveIpv4(0, pieces[0]);
  rig.ReceiveIpv4(0, pieces[1]);
  rig.ReceiveIpv4(0, pieces[2]);
  rig.UpstreamAt(1, kIpv4Frame + CallRig::PacketToServer(64));
  rig.Run();
  const auto sent = rig.Sent(1);
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(WithoutEthernet(sent[0]), AtServer(1000));
  EXPECT_EQ(WithoutEthernet(sent[1]), AtServer(64));
}

TEST(OuterFragmentTest, ReachesTheCallsWorker) {
  Rig::Options options;
  options.num_workers = 2;
  CallRig rig(options);
  rig.Program(CallRig::Spec());
  for (unsigned queue = 0; queue < 2; ++queue) {
    for (const Bytes& piece : Pieces(Gre(1000, queue), 504, static_cast<uint16_t>(queue))) {
      rig.ReceiveIpv4(0, piece, queue);
    }
    rig.Run();
    EXPECT_EQ(rig.Sent(1).size(), 1u) << queue;
  }
  EXPECT_EQ(rig.TotalDrops(), 0u);
}

TEST(OuterFragmentTest, FirstOnesOfNoCallAreNotKept) {
  CallRig rig;
  rig.Program(CallRig::Spec());
  rig.ReceiveIpv4(0, Pieces(Gre(1000, 0, kCallId + 1), 504, 1)[0]);
  rig.ReceiveIpv4(0, Pieces(Gre(1000, 0), 504, 2, kPeer2)[0]);
  rig.Run();
  EXPECT_EQ(rig.Drops("call_unknown"), 1u);
  EXPECT_EQ(rig.Drops("call_wrong_peer"), 1u);
}

TEST(OuterFragmentTest, WhatIsIncompleteTimesOut) {
  Rig::Options options;
  options.reassembly.max_packets = 8;
  options.reassembly.timeout_ms = 20;
  CallRig rig(options);
  rig.Program(CallRig::Spec());
  const auto pieces = Pieces(Gre(1000, 0), 504, 1);
  rig.ReceiveIpv4(0, pieces[0]);
  rig.ReceiveIpv4(0, pieces[1]);
  rig.Run();
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  rig.Run();
  EXPECT_EQ(rig.Drops("outer_fragment_timeout"), 1u);
  rig.ReceiveIpv4(0, pieces[2]);
  rig.Run();
  EXPECT_TRUE(rig.Sent(1).empty());
  EXPECT_EQ(rig.TotalDrops(), 1u);
}

// The rig's destructor sees that what is still held goes back to the pool.
TEST(OuterFragmentTest, FloodLosesNoGoodPacket) {
  CallRig rig;
  rig.Program(CallRig::Spec());
  uint16_t id = 0;
  unsigned num_good = 0;
  for (uint32_t round = 0; round < 50; ++round) {
    const auto pieces = Pieces(Gre(1000, round), 504, 60000);
    rig.ReceiveIpv4(0, pieces[0]);
    for (uint32_t i = 0; i < 200; ++i) {
      Ipv4Spec spec{
          Ip(203, 0, 0, 0) + round * 256 + i, kLocal, wire::gre::kIpProtocol, 60, ++id, 0x2010};
      rig.ReceiveIpv4(0, MakeIpv4(spec, Bytes(64)));
      spec.source = kPeer;
      rig.ReceiveIpv4(0, MakeIpv4(spec, Bytes(64)));
    }
    rig.ReceiveIpv4(0, pieces[1]);
    rig.ReceiveIpv4(0, pieces[2]);
    rig.Run();
    num_good += static_cast<unsigned>(rig.Sent(1).size());
  }
  EXPECT_EQ(num_good, 50u);
  EXPECT_GT(rig.Drops("outer_fragment_evicted") + rig.Drops("outer_fragment_full"), 10000u);
}

}  // namespace
}  // namespace culvert::dataplane
