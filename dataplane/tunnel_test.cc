// What the two ends of a call may rely on: sequence numbers, acknowledgements, PPP forms, MSS, TTL,
// client to client, hand-over, the kernel's side.
#include <gtest/gtest.h>

#include <thread>

#include "dataplane/call/call_mtu.h"
#include "dataplane/call/worker_choice.h"
#include "dataplane/rig/call_rig.h"

namespace culvert::dataplane {
namespace {

const Bytes kIpv4Frame = Hex("ff03 0021");

size_t NumSent(CallRig* rig, unsigned port) {
  rig->Run();
  return rig->Sent(port).size();
}

TEST(SequenceTest, FirstNumberIsWhatItIs) {
  for (const uint32_t first : {0U, 1U, 0x80000000U, 0xffffffffU}) {
    CallRig rig;
    rig.Program(CallRig::Spec());
    rig.UpstreamAt(first, kIpv4Frame + CallRig::PacketToServer());
    rig.UpstreamAt(first + 1, kIpv4Frame + CallRig::PacketToServer());
    EXPECT_EQ(NumSent(&rig, 1), 2u) << first;
  }
}

TEST(SequenceTest, ForgedJumpDoesNotStopTheCall) {
  CallRig rig;
  rig.Program(CallRig::Spec());
  const Bytes frame = kIpv4Frame + CallRig::PacketToServer();
  rig.UpstreamAt(10, frame);
  rig.UpstreamAt(0x10000000, frame);
  for (uint32_t i = 11; i < 20; ++i) {
    rig.UpstreamAt(i, frame);
  }
  EXPECT_EQ(NumSent(&rig, 1), 10u);
  EXPECT_EQ(rig.Drops("sequence_jump"), 1u);
}

TEST(SequenceTest, LongOutageIsConfirmedByLaterPackets) {
  CallRig rig;
  rig.Program(CallRig::Spec());
  const Bytes frame = kIpv4Frame + CallRig::PacketToServer();
  rig.UpstreamAt(10, frame);
  for (uint32_t i = 0; i < 20; ++i) {
    rig.UpstreamAt(100000 + i, frame);
  }
  EXPECT_EQ(NumSent(&rig, 1), 1u + 20u - 7u);
  EXPECT_EQ(rig.Drops("sequence_jump"), 7u);
}

TEST(SequenceTest, NumberWithoutPayloadCounts) {
  CallRig rig;
  rig.Program(CallRig::Spec());
  rig.UpstreamAt(5, {});
  rig.UpstreamAt(5, kIpv4Frame + CallRig::PacketToServer());
  EXPECT_EQ(NumSent(&rig, 1), 0u);
  EXPECT_EQ(rig.Drops("sequence_duplicate"), 1u);
  EXPECT_EQ(rig.datapath().WorkerCounters()[0].consumed, 1u);
}

TEST(AcknowledgeTest, PiggybackThenNothingAlone) {
  CallRig rig;
  rig.Program(CallRig::Spec());
  rig.UpstreamAt(41, kIpv4Frame + CallRig::PacketToServer());
  rig.ReceiveIpv4(1, CallRig::PacketToClient());
  rig.ReceiveIpv4(1, CallRig::PacketToClient());
  rig.Run();
  const auto sent = rig.Sent(0);
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_TRUE(ParseTunnel(sent[0]).gre.has_ack);
  EXPECT_EQ(ParseTunnel(sent[0]).gre.ack, 41u);
  EXPECT_FALSE(ParseTunnel(sent[1]).gre.has_ack);
  EXPECT_EQ(ParseTunnel(sent[1]).gre.sequence, 1u);
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  EXPECT_EQ(NumSent(&rig, 0), 0u);
}

TEST(AcknowledgeTest, AloneAfterTheDelay) {
  CallRig rig;
  rig.Program(CallRig::Spec());
  rig.UpstreamAt(7, kIpv4Frame + CallRig::PacketToServer());
  rig.UpstreamAt(8, kIpv4Frame + CallRig::PacketToServer());
  rig.Run();
  EXPECT_TRUE(rig.Sent(0).empty());
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  rig.Run();
  auto sent = rig.Sent(0);
  ASSERT_EQ(sent.size(), 1u);
  const TunnelPacket ack = ParseTunnel(sent[0]);
  EXPECT_FALSE(ack.gre.has_sequence);
  EXPECT_TRUE(ack.gre.has_ack);
  EXPECT_EQ(ack.gre.ack, 8u);
  EXPECT_EQ(ack.gre.payload_len, 0u);
  EXPECT_EQ(ack.gre.call_id, kPeerCallId);
  EXPECT_EQ(ack.outer.size(), 32u);
  // It took no sequence number.
  rig.ReceiveIpv4(1, CallRig::PacketToClient());
  rig.Run();
  sent = rig.Sent(0);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(ParseTunnel(sent[0]).gre.sequence, 0u);
}

// New packets must not wait until the acknowledgements of all calls have left.
TEST(AcknowledgeTest, ThoseDueTogetherAreSpreadOverRounds) {
  constexpr unsigned kNumCalls = 60;
  CallRig rig;
  CallSpec spec = CallRig::Spec();
  wire::gre::Header gre;
  gre.has_sequence = true;
  for (unsigned i = 0; i < kNumCalls; ++i) {
    spec.call_id = gre.call_id = static_cast<uint16_t>(kCallId + i);
    spec.client_address = kClient + i;
    rig.Program(spec);
    rig.ReceiveIpv4(0, MakeIpv4({kPeer, kLocal, wire::gre::kIpProtocol}, MakeGre(gre, {})));
  }
  rig.Run();
  EXPECT_TRUE(rig.Sent(0).empty());
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  size_t total = 0;
  for (unsigned round = 0; round < kNumCalls; ++round) {
    rig.datapath().RunWorkerOnce(0);
    const size_t num = rig.Sent(0).size();
    EXPECT_LE(num, 8u);
    total += num;
  }
  EXPECT_EQ(total, kNumCalls);
}

TEST(AcknowledgeTest, AloneAtHalfTheWindow) {
  CallRig rig;
  CallSpec spec = CallRig::Spec();
  spec.receive_window = 16;
  rig.Program(spec);
  for (int i = 0; i < 9; ++i) {
    rig.Upstream(kIpv4Frame + CallRig::PacketToServer());
  }
  rig.Run();
  const auto sent = rig.Sent(0);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(ParseTunnel(sent[0]).gre.ack, 8u);
}

TEST(AcknowledgeTest, ReceivedAcknowledgementEndsHere) {
  CallRig rig;
  rig.Program(CallRig::Spec());
  rig.ReceiveIpv4(0, MakeIpv4({kPeer, kLocal, 47}, Hex("2081880b 0000 2961 00000007") + Bytes(14)));
  EXPECT_EQ(NumSent(&rig, 0), 0u);
  EXPECT_EQ(rig.TotalDrops(), 0u);
  EXPECT_EQ(rig.datapath().WorkerCounters()[0].consumed, 1u);
}

TEST(PppTest, AllFormsAreTaken) {
  CallRig rig;
  rig.Program(CallRig::Spec());
  for (const char* form : {"ff030021", "0021", "ff0321", "21"}) {
    rig.Upstream(Hex(form) + CallRig::PacketToServer());
  }
  EXPECT_EQ(NumSent(&rig, 1), 4u);
}

TEST(PppTest, CompressedFormsOnlyAsAllowed) {
  CallRig rig;
  CallSpec spec = CallRig::Spec();
  const std::pair<std::pair<bool, bool>, const char*> forms[] = {{{false, false}, "ff030021"},
                                                                 {{true, false}, "0021"},
                                                                 {{false, true}, "ff0321"},
                                                                 {{true, true}, "21"}};
  for (const auto& [allowed, header] : forms) {
    spec.send_acfc = allowed.first;
    spec.send_pfc = allowed.second;
    rig.Program(spec);
    rig.ReceiveIpv4(1, CallRig::PacketToClient());
    rig.Run();
    const auto sent = rig.Sent(0);
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(ParseTunnel(sent[0]).ppp, Hex(header) + WithTtl(CallRig::PacketToClient(), 63));
  }
}

TEST(ControlTest, FramesBothWays) {
  CallRig rig;
  CallSpec spec = CallRig::Spec();
  spec.send_acfc = true;
  const uint64_t handle = rig.Program(spec);
  const Bytes lcp = Hex("c021 0101 0008 0506 0000 0001");
  rig.Upstream(Hex("ff03") + lcp);
  rig.Upstream(lcp);
  rig.Upstream(Hex("57") + Bytes(40, 0x60));  // IPv6: the control plane will reject it
  rig.Run();
  const auto frames = rig.PuntedFrames();
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_EQ(frames[0].handle, handle);
  EXPECT_EQ(frames[0].data, lcp);
  EXPECT_EQ(frames[1].data, lcp);
  EXPECT_EQ(frames[2].data, Hex("0057") + Bytes(40, 0x60));
  ASSERT_TRUE(rig.datapath().SendFrame(handle, lcp));
  rig.Run();
  const auto sent = rig.Sent(0);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(ParseTunnel(sent[0]).ppp, Hex("ff03") + lcp);
  EXPECT_EQ(ParseTunnel(sent[0]).gre.ack, 2u);
}

TEST(MssTest, ClampedBothWays) {
  CallRig rig;
  CallSpec spec = CallRig::Spec();
  spec.peer_mru = 1400;
  rig.Program(spec);
  rig.Upstream(kIpv4Frame +
               MakeIpv4({kClient, kServer, 6, 64}, MakeTcpSyn(kClient, kServer, 1460)));
  rig.Run();
  auto sent = rig.Sent(1);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(WithoutEthernet(sent[0]),
            MakeIpv4({kClient, kServer, 6, 63}, MakeTcpSyn(kClient, kServer, 1360)));
  rig.ReceiveIpv4(1, MakeIpv4({kServer, kClient, 6, 64}, MakeTcpSyn(kServer, kClient, 1200)));
  rig.ReceiveIpv4(1, MakeIpv4({kServer, kClient, 6, 64}, MakeTcpSyn(kServer, kClient, 1460)));
  rig.Run();
  sent = rig.Sent(0);
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(ParseTunnel(sent[0]).ppp,
            kIpv4Frame + MakeIpv4({kServer, kClient, 6, 63}, MakeTcpSyn(kServer, kClient, 1200)));
  EXPECT_EQ(ParseTunnel(sent[1]).ppp,
            kIpv4Frame + MakeIpv4({kServer, kClient, 6, 63}, MakeTcpSyn(kServer, kClient, 1360)));
}

// The table of overheads: RFC 2637 s4.1, RFC 3078 s3.1, RFC 1661 s6.5, s6.6.
TEST(CallMtuTest, Overheads) {
  CallSpec spec;
  EXPECT_EQ(CallMtu(spec, 1500), 1460);
  spec.send.emplace();
  EXPECT_EQ(CallMtu(spec, 1500), 1456);
  spec.send_acfc = true;
  EXPECT_EQ(CallMtu(spec, 1500), 1458);
  spec.peer_mru = 1400;
  EXPECT_EQ(CallMtu(spec, 1500), 1396);
  spec.mtu = 1300;
  EXPECT_EQ(CallMtu(spec, 1500), 1300);
}

class TwoClientsTest : public ::testing::TestWithParam<unsigned> {};

TEST_P(TwoClientsTest, ReachEachOther) {
  Rig::Options options;
  options.num_workers = GetParam();
  CallRig rig(options);
  rig.Program(CallRig::Spec());
  rig.Program(CallRig::Spec2());
  rig.Upstream(kIpv4Frame + MakeIpv4({kClient, kClient2}, Bytes(64, 7)));
  rig.Run();
  const auto sent = rig.Sent(0);
  ASSERT_EQ(sent.size(), 1u);
  const TunnelPacket packet = ParseTunnel(sent[0]);
  EXPECT_EQ(packet.ip.destination, kPeer2);
  EXPECT_EQ(packet.gre.call_id, kPeerCallId + 1);
  EXPECT_EQ(packet.ppp, kIpv4Frame + MakeIpv4({kClient, kClient2, 17, 63}, Bytes(64, 7)));
  EXPECT_EQ(rig.TotalDrops(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Workers, TwoClientsTest, ::testing::Values(1u, 2u, 3u));

TEST(HandOverTest, EveryQueueReachesTheCall) {
  Rig::Options options;
  options.num_workers = 2;
  CallRig rig(options);
  rig.Program(CallRig::Spec());
  const unsigned owner = rig.datapath().List()[0].worker;
  EXPECT_EQ(owner, WorkerChoice::RssWorker(kPeer, kLocal, 2));
  for (int i = 0; i < 10; ++i) {
    rig.Upstream(kIpv4Frame + CallRig::PacketToServer(), 1 - owner);
    rig.Run();
  }
  EXPECT_EQ(rig.Sent(1).size(), 10u);
  rig.ReceiveIpv4(1, CallRig::PacketToClient(), 1 - owner);
  rig.ReceiveIpv4(1, CallRig::PacketToClient(), owner);
  rig.Run();
  const auto sent = rig.Sent(0);
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_NE(ParseTunnel(sent[0]).gre.sequence, ParseTunnel(sent[1]).gre.sequence);
  const auto counters = rig.datapath().WorkerCounters();
  EXPECT_EQ(counters[1 - owner].handed_over, 11u);
  EXPECT_EQ(counters[owner].handed_over, 0u);
  EXPECT_EQ(counters[owner].transmitted, 12u);
  EXPECT_EQ(rig.TotalDrops(), 0u);
}

TEST(HandOverTest, NatIsSpreadOverAllWorkers) {
  WorkerChoice choice(4);
  std::vector<unsigned> calls(4);
  for (int i = 0; i < 1000; ++i) {
    ++calls[choice.Add(kPeer, kLocal)];
  }
  for (const unsigned n : calls) {
    EXPECT_GE(n, 200u);
  }
}

TEST(KernelTest, TapAndTun) {
  CallRig rig;
  rig.Program(CallRig::Spec());
  Datapath& path = rig.datapath();
  // ARP, broadcasts and what is for us go to the port's TAP as they came, padding and all.
  const Bytes arp =
      MakeEthernet({0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, Rig::PeerMac(0), 0x0806, Bytes(46));
  const Bytes tcp = MakeEthernet(rig.ports()[0].mac, Rig::PeerMac(0), 0x0800,
                                 MakeIpv4({kPeer, kLocal, 6}, Bytes(20)) + Bytes(6, 9));
  rig.Receive(0, arp);
  rig.Receive(0, tcp);
  rig.Run();
  EXPECT_EQ(rig.PuntedToPort(0), (std::vector<Bytes>{arp, tcp}));
  // The kernel's frames leave as they are.
  ASSERT_TRUE(path.ToPort(0, rig.NewMbuf(arp)));
  rig.Run();
  EXPECT_EQ(rig.Sent(0), std::vector<Bytes>{arp});
  // From a client to the gateway: into the TUN, unchanged.
  const Bytes ping = MakeIpv4({kClient, kGateway, 1}, Bytes(8));
  rig.Upstream(kIpv4Frame + ping);
  rig.Run();
  EXPECT_EQ(rig.PuntedToClients(), std::vector<Bytes>{ping});
  // And back: the kernel has looked after TTL already.
  const Bytes reply = MakeIpv4({kGateway, kClient, 1, 1}, Bytes(8));
  ASSERT_TRUE(path.ToClients(rig.NewMbuf(reply)));
  rig.Run();
  const auto sent = rig.Sent(0);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(ParseTunnel(sent[0]).ppp, kIpv4Frame + reply);
  EXPECT_EQ(rig.TotalDrops(), 0u);
}

TEST(TransitTest, PacketsBetweenPorts) {
  CallRig rig;
  const Bytes packet = MakeIpv4({kServer, kPeer}, Bytes(10));
  rig.ReceiveIpv4(1, packet + Bytes(16));
  rig.Run();
  const auto sent = rig.Sent(0);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0],
            MakeEthernet(Rig::PeerMac(0), rig.ports()[0].mac, 0x0800, WithTtl(packet, 63)));
}

}  // namespace
}  // namespace culvert::dataplane
