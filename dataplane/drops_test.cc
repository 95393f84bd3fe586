// Packets that must not pass: each ends under its own name, and the call goes on unharmed.
#include <gtest/gtest.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "dataplane/packet/drop_reason.h"
#include "dataplane/rig/call_rig.h"

namespace culvert::dataplane {
namespace {

const Bytes kIpv4Frame = Hex("ff03 0021");

class DropsTest : public ::testing::Test {
 protected:
  // Expect: what was received so far ended under `name` and nothing else did; then the call still
  // carries a packet, with a sequence number in order.
  void Expect(const char* name, uint64_t packets = 1) {
    rig_.Run();
    EXPECT_EQ(rig_.Drops(name), packets);
    EXPECT_EQ(rig_.TotalDrops(), packets) << name;
    rig_.Sent(1);
  }
  void ExpectCallWorks() {
    const uint64_t drops = rig_.TotalDrops();
    rig_.Sent(1);
    rig_.Upstream(kIpv4Frame + CallRig::PacketToServer());
    rig_.Run();
    EXPECT_EQ(rig_.Sent(1).size(), 1u);
    EXPECT_EQ(rig_.TotalDrops(), drops);
  }
  // FromPeer receives an IP packet on the clients' port.
  void FromPeer(const Bytes& gre, const Ipv4Spec& spec = {kPeer, kLocal, wire::gre::kIpProtocol}) {
    rig_.ReceiveIpv4(0, MakeIpv4(spec, gre));
  }
  void Inner(const Ipv4Spec& spec) { rig_.Upstream(kIpv4Frame + MakeIpv4(spec, Bytes(20, 1))); }
  static wire::gre::Header Header(uint32_t sequence = 0) {
    wire::gre::Header header;
    header.call_id = kCallId;
    header.has_sequence = true;
    header.sequence = sequence;
    return header;
  }

  CallRig rig_;
  const uint64_t handle_ = rig_.Program(CallRig::Spec());
};

TEST_F(DropsTest, FrameTruncated) {
  rig_.Receive(0, Bytes(13));
  Expect("frame_truncated");
}

TEST_F(DropsTest, FrameOtherHost) {
  rig_.Receive(
      0, MakeEthernet({2, 9, 9, 9, 9, 9}, Rig::PeerMac(0), 0x0800, CallRig::PacketToServer()));
  Expect("frame_other_host");
}

TEST_F(DropsTest, OuterIpHeader) {
  const Bytes good = CallRig::PacketToClient();
  rig_.ReceiveIpv4(0, Bytes(good.begin(), good.begin() + 19));
  Expect("outer_ip_truncated");
  Bytes bad = good;
  bad[0] = 0x65;
  rig_.ReceiveIpv4(0, bad);
  rig_.Run();
  EXPECT_EQ(rig_.Drops("outer_ip_version"), 1u);
  bad[0] = 0x44;
  rig_.ReceiveIpv4(0, bad);
  rig_.Run();
  EXPECT_EQ(rig_.Drops("outer_ip_header_len"), 1u);
  bad = good;
  bad[3] = 0xff;
  rig_.ReceiveIpv4(0, bad);
  rig_.Run();
  EXPECT_EQ(rig_.Drops("outer_ip_total_len"), 1u);
  bad = good;
  bad[10] ^= 1;
  rig_.ReceiveIpv4(0, bad);
  rig_.Run();
  EXPECT_EQ(rig_.Drops("outer_ip_checksum"), 1u);
  EXPECT_EQ(rig_.TotalDrops(), 5u);
}

TEST_F(DropsTest, OuterFragmentOfGre) {
  const Bytes first = MakeGre(Header(), kIpv4Frame);
  FromPeer(first, {kPeer, kLocal, wire::gre::kIpProtocol, 64, 7, 0x2000});
  FromPeer(Bytes(15), {kPeer, kLocal, wire::gre::kIpProtocol, 64, 7, 0x2005});
  FromPeer(Bytes(8), {kPeer, kLocal, wire::gre::kIpProtocol, 64, 8, 0x2000});
  Expect("outer_fragment_bad", 2);
  FromPeer(first, {kPeer, kLocal, wire::gre::kIpProtocol, 64, 7, 0x2000});
  FromPeer(Bytes(24), {kPeer, kLocal, wire::gre::kIpProtocol, 64, 7, 0x2001});
  rig_.Run();
  EXPECT_EQ(rig_.Drops("outer_fragment_duplicate"), 1u);
  EXPECT_EQ(rig_.Drops("outer_fragment_overlap"), 1u);
  // Ahead of their first ones, four from one peer wait.
  for (uint16_t id = 20; id < 26; ++id) {
    FromPeer(Bytes(24), {kPeer, kLocal, wire::gre::kIpProtocol, 64, id, 0x2005});
  }
  rig_.Run();
  EXPECT_EQ(rig_.Drops("outer_fragment_evicted"), 2u);
  EXPECT_EQ(rig_.TotalDrops(), 6u);
  ExpectCallWorks();
}

TEST_F(DropsTest, GreHeader) {
  FromPeer(Hex("3001880b000029"));
  Expect("gre_truncated");
  FromPeer(Hex("3001880c 0004 2961 00000000 ff030021"));
  rig_.Run();
  EXPECT_EQ(rig_.Drops("gre_protocol"), 1u);
  // Checksum, routing and recursion bits, no key, version 0, a reserved flag.
  for (const char* word : {"b001", "7001", "3101", "1001", "3000", "3009"}) {
    FromPeer(Hex(std::string(word) + "880b 0004 2961 00000000 ff030021"));
  }
  rig_.Run();
  EXPECT_EQ(rig_.Drops("gre_flags"), 6u);
  FromPeer(Hex("3001880b 0005 2961 00000000 ff030021"));
  rig_.Run();
  EXPECT_EQ(rig_.Drops("gre_length"), 1u);
  FromPeer(Hex("2001880b 0000 2961"));
  rig_.Run();
  EXPECT_EQ(rig_.Drops("gre_empty"), 1u);
  EXPECT_EQ(rig_.TotalDrops(), 10u);
  ExpectCallWorks();
}

TEST_F(DropsTest, CallUnknown) {
  wire::gre::Header header = Header();
  header.call_id = kCallId + 1;
  FromPeer(MakeGre(header, kIpv4Frame));
  header.call_id = 0;
  FromPeer(MakeGre(header, kIpv4Frame));
  Expect("call_unknown", 2);
  ExpectCallWorks();
}

TEST_F(DropsTest, CallWrongPeer) {
  FromPeer(MakeGre(Header(99), kIpv4Frame + CallRig::PacketToServer()),
           {kPeer2, kLocal, wire::gre::kIpProtocol});
  Expect("call_wrong_peer");
  EXPECT_EQ(rig_.datapath().CallCounters()[0].second.upstream_drops, 0u);
  ExpectCallWorks();
}

TEST_F(DropsTest, PppFrame) {
  rig_.Upstream(Hex("ff03"));
  rig_.Upstream(Hex("00"));
  Expect("ppp_truncated", 2);
  rig_.Upstream(Hex("0020 4500"));
  rig_.Run();
  EXPECT_EQ(rig_.Drops("ppp_protocol"), 1u);
  EXPECT_EQ(rig_.datapath().CallCounters()[0].second.upstream_drops, 3u);
  ExpectCallWorks();
}

TEST_F(DropsTest, MppeWithoutKey) {
  rig_.Upstream(Hex("ff03 00fd 9000 0102030405"));
  Expect("mppe_no_key");
  ExpectCallWorks();
}

TEST_F(DropsTest, MppeFrames) {
  CallSpec spec = CallRig::Spec();
  spec.receive.emplace();
  spec.receive->bits = 128;
  rig_.Program(spec);
  rig_.Upstream(Hex("ff03 00fd 9000"));
  Expect("mppe_truncated");
  rig_.Upstream(Hex("ff03 00fd 8000 0011"));
  rig_.Upstream(Hex("ff03 00fd 1000 0011"));
  rig_.Upstream(Hex("ff03 00fd 9000 0011223344556677"));
  rig_.Upstream(Hex("ff03 00fd 9900 0011223344556677"));
  rig_.Run();
  EXPECT_EQ(rig_.Drops("mppe_not_encrypted"), 1u);
  EXPECT_EQ(rig_.Drops("mppe_not_flushed"), 1u);
  EXPECT_EQ(rig_.Drops("mppe_implausible"), 1u);
  EXPECT_EQ(rig_.Drops("mppe_late"), 1u);
  EXPECT_EQ(rig_.TotalDrops(), 5u);
}

TEST_F(DropsTest, ClearDataWhereEncryptionIsRequiredOrKeyed) {
  CallSpec spec = CallRig::Spec();
  spec.require_encryption = true;
  rig_.Program(spec);
  rig_.Upstream(kIpv4Frame + CallRig::PacketToServer());
  rig_.Upstream(Hex("ff03 0057 6000"));
  Expect("clear_data", 2);
  spec.require_encryption = false;
  spec.receive.emplace();
  spec.receive->bits = 40;
  rig_.Program(spec);
  rig_.Upstream(kIpv4Frame + CallRig::PacketToServer());
  Expect("clear_data", 3);
  // Control passes.
  rig_.Upstream(Hex("ff03 c021 09 01 0008 00000000"));
  rig_.Run();
  EXPECT_EQ(rig_.PuntedFrames().size(), 1u);
}

TEST_F(DropsTest, PuntRate) {
  for (int i = 0; i < 300; ++i) {
    rig_.Upstream(Hex("ff03 c021 09 01 0008 00000000"));
  }
  rig_.Run();
  const size_t frames = rig_.PuntedFrames().size();
  EXPECT_GE(frames, 200u);
  EXPECT_LT(frames, 300u);
  EXPECT_EQ(rig_.Drops("punt_rate"), 300 - frames);
  ExpectCallWorks();
}

TEST_F(DropsTest, NoClientAddress) {
  CallSpec spec = CallRig::Spec();
  spec.client_address = 0;
  rig_.Program(spec);
  rig_.Upstream(kIpv4Frame + CallRig::PacketToServer());
  Expect("no_client_address");
  rig_.ReceiveIpv4(1, CallRig::PacketToClient());
  rig_.Run();
  EXPECT_EQ(rig_.Drops("no_client"), 1u);
}

TEST_F(DropsTest, InnerIpHeader) {
  const Bytes good = CallRig::PacketToServer();
  rig_.Upstream(kIpv4Frame + Bytes(good.begin(), good.begin() + 19));
  Expect("inner_ip_truncated");
  const std::pair<size_t, const char*> fields[] = {
      {0, "inner_ip_version"}, {3, "inner_ip_total_len"}, {10, "inner_ip_checksum"}};
  for (const auto& [at, name] : fields) {
    Bytes bad = good;
    bad[at] ^= 0xf0;
    rig_.Upstream(kIpv4Frame + bad);
    rig_.Run();
    EXPECT_EQ(rig_.Drops(name), 1u) << name;
  }
  Bytes bad = good;
  bad[0] = 0x43;
  rig_.Upstream(kIpv4Frame + bad);
  rig_.Run();
  EXPECT_EQ(rig_.Drops("inner_ip_header_len"), 1u);
  EXPECT_EQ(rig_.TotalDrops(), 5u);
  ExpectCallWorks();
}

TEST_F(DropsTest, SourceSpoofed) {
  Inner({kClient2, kServer});
  Expect("source_spoofed");
  ExpectCallWorks();
}

TEST_F(DropsTest, SourceRoute) {
  Ipv4Spec spec{kClient, kServer};
  spec.options = Hex("01 83 07 04 c0000201");
  Inner(spec);
  spec.options = Hex("89 07 04 c0000201 00");
  Inner(spec);
  Expect("source_route", 2);
  spec.options = Hex("07 07 04 00000000 00");  // record route is no harm
  Inner(spec);
  spec.options = Hex("07 00 00 00");  // nor is a length that lies, to us
  Inner(spec);
  rig_.Run();
  EXPECT_EQ(rig_.Sent(1).size(), 2u);
}

TEST_F(DropsTest, Martians) {
  Inner({kClient, Ip(127, 0, 0, 1)});
  Inner({kClient, Ip(0, 0, 0, 0)});
  Inner({kClient, Ip(255, 255, 255, 255)});
  Inner({kClient, Ip(169, 254, 1, 1)});
  Expect("martian_destination", 4);
  rig_.ReceiveIpv4(1, MakeIpv4({Ip(127, 0, 0, 1), kClient}, Bytes(8)));
  rig_.ReceiveIpv4(1, MakeIpv4({Ip(224, 0, 0, 1), kClient}, Bytes(8)));
  rig_.Run();
  EXPECT_EQ(rig_.Drops("martian_source"), 2u);
  Inner({kClient, Ip(239, 1, 2, 3)});
  rig_.Run();
  EXPECT_EQ(rig_.Drops("multicast"), 1u);
  ExpectCallWorks();
}

TEST_F(DropsTest, Routes) {
  Datapath& path = rig_.datapath();
  ASSERT_TRUE(path.SetRoute(Ip(203, 0, 113, 0), 24, {RouteTarget::Kind::kBlackhole, 0, 0}).ok());
  Inner({kClient, Ip(203, 0, 113, 9)});
  Expect("blackhole");
  Inner({kClient, Ip(10, 77, 0, 200)});
  rig_.Run();
  EXPECT_EQ(rig_.Drops("no_client"), 1u);
  ASSERT_TRUE(path.RemoveRoute(0, 0).ok());
  Inner({kClient, kServer});
  rig_.Run();
  EXPECT_EQ(rig_.Drops("no_route"), 1u);
}

TEST_F(DropsTest, TtlExceeded) {
  Inner({kClient, kServer, 17, 1});
  Inner({kClient, kServer, 17, 0});
  rig_.ReceiveIpv4(1, MakeIpv4({kServer, kClient, 17, 1}, Bytes(8)));
  Expect("ttl_exceeded", 3);
  Inner({kClient, kServer, 17, 2});
  rig_.Run();
  const auto sent = rig_.Sent(1);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0][14 + 8], 1);
  // To ourselves TTL does not matter.
  Inner({kClient, kGateway, 17, 1});
  rig_.Run();
  EXPECT_EQ(rig_.PuntedToClients().size(), 1u);
}

TEST_F(DropsTest, NeighbourUnresolved) {
  rig_.datapath().RemoveNeighbour(1, kRouter);
  // ip/neighbour_test.cc has those that wait.
  for (int i = 0; i < 7; ++i) {
    Inner({kClient, kServer});
  }
  Inner({kClient, Ip(198, 51, 100, 77)});  // on link
  Expect("neighbour_unresolved", 3);       // four, and the one on link, wait
  const std::vector<std::pair<uint16_t, uint32_t>> expected = {{1, kRouter},
                                                               {1, Ip(198, 51, 100, 77)}};
  EXPECT_EQ(rig_.datapath().TakeUnresolved(), expected);
  EXPECT_TRUE(rig_.datapath().TakeUnresolved().empty());
  rig_.datapath().SetNeighbour(1, kRouter, Rig::PeerMac(1));
  rig_.datapath().SetNeighbour(1, Ip(198, 51, 100, 77), Rig::PeerMac(1));
  Inner({kClient, kServer});
  Inner({kClient, Ip(198, 51, 100, 77)});
  rig_.Run();
  EXPECT_EQ(rig_.Sent(1).size(), 7u);
}

TEST_F(DropsTest, TooBig) {
  // ip/icmp_test.cc has those that may be cut.
  constexpr uint16_t kDontFragment = 0x4000;
  // MRU 1500, outer MTU 1500 - 20 - 16 - 4.
  rig_.ReceiveIpv4(1, CallRig::PacketToClient(1460 - 20));
  rig_.Run();
  EXPECT_EQ(rig_.Sent(0).size(), 1u);
  rig_.ReceiveIpv4(1, MakeIpv4({kServer, kClient, 17, 64, 0, kDontFragment}, Bytes(1461 - 20)));
  Expect("inner_too_big");
  EXPECT_EQ(rig_.datapath().CallCounters()[0].second.downstream_drops, 1u);
  rig_.Upstream(kIpv4Frame +
                MakeIpv4({kClient, kServer, 17, 64, 0, kDontFragment}, Bytes(1501 - 20)));
  rig_.Run();
  EXPECT_EQ(rig_.Drops("egress_too_big"), 1u);
}

TEST_F(DropsTest, EncryptionMissing) {
  CallSpec spec = CallRig::Spec();
  spec.require_encryption = true;
  rig_.Program(spec);
  rig_.ReceiveIpv4(1, CallRig::PacketToClient());
  Expect("encryption_missing");
  EXPECT_TRUE(rig_.Sent(0).empty());
}

TEST_F(DropsTest, TunnelRoutes) {
  Datapath& path = rig_.datapath();
  path.RemoveNeighbour(0, kPeer);
  ASSERT_TRUE(path.SetRoute(kPeer, 32, {RouteTarget::Kind::kBlackhole, 0, 0}).ok());
  rig_.ReceiveIpv4(1, CallRig::PacketToClient());
  Expect("tunnel_no_route");
  ASSERT_TRUE(path.SetRoute(kPeer, 32, {RouteTarget::Kind::kLocal, 0, 0}).ok());
  rig_.ReceiveIpv4(1, CallRig::PacketToClient());
  rig_.Run();
  EXPECT_EQ(rig_.Drops("tunnel_recursion"), 1u);
}

TEST_F(DropsTest, StaleFrame) {
  const Bytes frame = Hex("c021 0901 0008 00000000");
  ASSERT_TRUE(rig_.datapath().SendFrame(handle_, frame));
  ASSERT_TRUE(rig_.datapath().Remove(handle_).ok());
  Expect("call_stale");
  EXPECT_FALSE(rig_.datapath().SendFrame(handle_, frame));
  EXPECT_EQ(rig_.Drops("inject_full"), 1u);
}

TEST_F(DropsTest, RingsAndPortsFull) {
  // The send ring holds 1023.
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 600; ++i) {
      rig_.Upstream(kIpv4Frame + CallRig::PacketToServer());
    }
    rig_.Run();
  }
  EXPECT_EQ(rig_.Drops("transmit_full"), 1200u - 1023u);
  rig_.Sent(1);
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 1000; ++i) {
      Inner({kClient, kGateway});
    }
    rig_.Run();
    rig_.Sent(0);
  }
  EXPECT_EQ(rig_.Drops("punt_clients_full"), 5000u - 4095u);
  rig_.PuntedToClients();
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 1000; ++i) {
      rig_.Receive(1, MakeEthernet(rig_.ports()[1].mac, Rig::PeerMac(1), 0x0806, Bytes(28)));
    }
    rig_.Run();
  }
  EXPECT_EQ(rig_.Drops("punt_port_full"), 5000u - 4095u);
  EXPECT_EQ(rig_.PuntedToPort(1).size(), 4095u);
  ExpectCallWorks();
}

TEST_F(DropsTest, SegmentsThatDoNotFitIntoOne) {
  const Bytes frame = MakeEthernet(rig_.ports()[0].mac, Rig::PeerMac(0), 0x0800,
                                   MakeIpv4({kPeer, kServer}, Bytes(700)));
  for (const size_t more : {size_t{20}, size_t{1900}}) {
    rte_mbuf* head = rig_.NewMbuf(frame);
    ASSERT_EQ(rte_pktmbuf_chain(head, rig_.NewMbuf(Bytes(more))), 0);
    ASSERT_EQ(rte_ring_enqueue(rig_.receive_ring(0, 0), head), 0);
  }
  rig_.Run();
  EXPECT_EQ(rig_.Drops("frame_segments"), 1u);
  EXPECT_EQ(rig_.Sent(1).size(), 1u);
}

TEST_F(DropsTest, NoHeadroom) {
  rte_mbuf* packet = rig_.NewMbuf({});
  packet->data_off = 8;
  const Bytes octets = MakeIpv4({kGateway, kClient}, Bytes(20));
  std::copy(
      octets.begin(), octets.end(),
      reinterpret_cast<uint8_t*>(rte_pktmbuf_append(packet, static_cast<uint16_t>(octets.size()))));
  ASSERT_TRUE(rig_.datapath().ToClients(packet));
  Expect("headroom");
}

TEST_F(DropsTest, NoBufferForAnAcknowledgement) {
  CallSpec spec = CallRig::Spec();
  spec.receive_window = 1;
  rig_.Program(spec);
  rig_.Upstream(kIpv4Frame + CallRig::PacketToServer());
  std::vector<rte_mbuf*> all;
  while (rte_mbuf* mbuf = rte_pktmbuf_alloc(rig_.mbufs())) {
    all.push_back(mbuf);
  }
  Expect("no_buffer");
  rte_pktmbuf_free_bulk(all.data(), static_cast<unsigned>(all.size()));
  ExpectCallWorks();
  EXPECT_EQ(rig_.Sent(0).size(), 1u);
}

TEST(RingsTest, FramesAndHandOverFull) {
  Rig::Options options;
  options.num_workers = 2;
  options.num_mbufs = 32767;
  options.punt_rate = 1000000;
  CallRig rig(options);
  rig.Program(CallRig::Spec());
  const unsigned owner = rig.datapath().List()[0].worker;
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 1000; ++i) {
      rig.Upstream(Hex("c021 0901 0008 00000000"), 1 - owner);
    }
    while (rig.datapath().RunWorkerOnce(1 - owner) > 0) {
    }
  }
  EXPECT_EQ(rig.Drops("hand_over_full"), 10000u - 4095u);
  rig.Run();
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 1000; ++i) {
      rig.UpstreamAt(static_cast<uint32_t>(5000 + 1000 * round + i), Hex("c021 0901 0008 00000000"),
                     owner);
    }
    rig.Run();
    rig.Sent(0);
  }
  const uint64_t jumps = rig.Drops("sequence_jump");
  EXPECT_LT(jumps, 10u);
  EXPECT_EQ(rig.Drops("punt_frame_full"), 4095u + 10000u - jumps - 8191u);
  EXPECT_EQ(rig.PuntedFrames().size(), 8191u);
}

TEST(DropReasonTest, EveryReasonIsDescribed) {
  for (size_t i = 0; i < kNumDropReasons; ++i) {
    const DropReasonInfo& info = Describe(static_cast<DropReason>(i));
    EXPECT_GT(std::string(info.name).size(), 3u);
    EXPECT_GT(std::string(info.text).size(), 10u);
    EXPECT_GT(std::string(info.source).size(), 3u);
  }
}

}  // namespace
}  // namespace culvert::dataplane
