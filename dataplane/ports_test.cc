// Ports: VLANs, frames beyond 1500 octets, checksums left to the device, links that go, TAPs that
// nobody empties.
#include <gtest/gtest.h>

#include "dataplane/rig/call_rig.h"
#include "proto/wire/byte_order.h"

namespace culvert::dataplane {
namespace {

const Bytes kIpv4Frame = Hex("ff03 0021");
constexpr uint16_t kSubPort = 2;                    // of vlans[0]
constexpr uint32_t kVlanHost = Ip(203, 0, 113, 9);  // on the sub-port

Bytes Tagged(const Bytes& frame, uint16_t tag, uint16_t type = 0x8100) {
  Bytes tagged(frame.begin(), frame.begin() + 12);
  for (const uint16_t value : {type, tag}) {
    tagged.push_back(static_cast<uint8_t>(value >> 8));
    tagged.push_back(static_cast<uint8_t>(value));
  }
  tagged.insert(tagged.end(), frame.begin() + 12, frame.end());
  return tagged;
}

// A rig with VLAN 100 on port 0; kVlanHost is there.
class VlanTest : public testing::Test {
 protected:
  VlanTest() : rig_({.vlans = {100, 4094}}) {
    rig_.Program(CallRig::Spec());
    EXPECT_TRUE(rig_.datapath()
                    .SetRoute(Ip(203, 0, 113, 0), 24, {RouteTarget::Kind::kAdjacency, kSubPort, 0})
                    .ok());
    rig_.datapath().SetNeighbour(kSubPort, kVlanHost, Rig::PeerMac(0));
  }
  Bytes Frame(const Bytes& packet) {
    return MakeEthernet(rig_.ports()[0].mac, Rig::PeerMac(0), 0x0800, packet);
  }
  PortTraffic Traffic(uint16_t port) { return rig_.datapath().PortCounters()[port]; }
  // A GRE packet of the call with an inner packet to kServer.
  static Bytes Upstream(uint32_t sequence) {
    wire::gre::Header header;
    header.call_id = kCallId;
    header.has_sequence = true;
    header.sequence = sequence;
    return MakeIpv4({kPeer, kLocal, wire::gre::kIpProtocol},
                    MakeGre(header, kIpv4Frame + CallRig::PacketToServer()));
  }

  CallRig rig_;
};

TEST_F(VlanTest, TaggedFramesAreTheSubPorts) {
  const Bytes packet = MakeIpv4({kVlanHost, kServer}, Bytes(40, 1));
  rig_.Receive(0, Tagged(Frame(packet), 0xe000 | 100));  // priority 7
  rig_.Run();
  EXPECT_EQ(rig_.Sent(1).size(), 1u);
  EXPECT_EQ(rig_.TotalDrops(), 0u);
  EXPECT_EQ(Traffic(kSubPort).rx_packets, 1u);
  EXPECT_EQ(Traffic(kSubPort).rx_octets, 14 + packet.size());
  EXPECT_EQ(Traffic(kSubPort + 1).rx_packets, 0u);
  EXPECT_EQ(Traffic(0).rx_packets, 0u);
}

TEST_F(VlanTest, GreMayComeByASubPort) {
  rig_.Receive(0, Tagged(Frame(Upstream(1)), 100));
  rig_.Run();
  EXPECT_EQ(rig_.Sent(1).size(), 1u);
  EXPECT_EQ(rig_.datapath().CallCounters()[0].second.upstream_packets, 1u);
}

TEST_F(VlanTest, ATagThatTheDeviceTookOffCountsTheSame) {
  rte_mbuf* mbuf = rig_.NewMbuf(Frame(Upstream(1)));
  mbuf->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
  mbuf->vlan_tci = 100;
  rig_.ReceiveMbuf(0, mbuf);
  rig_.Run();
  EXPECT_EQ(rig_.Sent(1).size(), 1u);
  EXPECT_EQ(Traffic(kSubPort).rx_packets, 1u);
}

TEST_F(VlanTest, PacketsToASubPortAreTagged) {
  const Bytes packet = MakeIpv4({kServer, kVlanHost}, Bytes(40, 1));
  rig_.ReceiveIpv4(1, packet);
  rig_.Run();
  const auto sent = rig_.Sent(0);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(
      sent[0],
      Tagged(MakeEthernet(Rig::PeerMac(0), rig_.ports()[0].mac, 0x0800, WithTtl(packet, 63)), 100));
  EXPECT_EQ(Traffic(kSubPort).tx_packets, 1u);
  EXPECT_EQ(Traffic(kSubPort).tx_octets, 18 + packet.size());
}

TEST_F(VlanTest, TheTunnelMayLeaveByASubPort) {
  CallSpec spec = CallRig::Spec2();
  spec.peer_address = kVlanHost;
  rig_.Program(spec);
  rig_.ReceiveIpv4(1, MakeIpv4({kServer, kClient2}, Bytes(40, 1)));
  rig_.Run();
  const auto sent = rig_.Sent(0);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(wire::LoadBe32(&sent[0][12]), 0x81000064u);
  EXPECT_EQ(ParseTunnel(Bytes(sent[0].begin() + 4, sent[0].end())).ip.destination, kVlanHost);
}

TEST_F(VlanTest, PriorityTaggedFramesAreTheParents) {
  rig_.Receive(0, Tagged(Frame(Upstream(1)), 0xa000));
  rig_.Receive(
      0, Tagged(MakeEthernet({255, 255, 255, 255, 255, 255}, Rig::PeerMac(0), 0x0806, Bytes(28, 3)),
                0));
  rig_.Run();
  EXPECT_EQ(rig_.Sent(1).size(), 1u);
  EXPECT_EQ(rig_.PuntedToPort(0).size(), 1u);
  EXPECT_EQ(rig_.TotalDrops(), 0u);
}

TEST_F(VlanTest, UnknownAndNestedVlansAreDroppedByName) {
  rig_.Receive(0, Tagged(Frame(Upstream(1)), 101));
  rig_.Receive(1, Tagged(Frame(Upstream(2)), 100));  // a port without sub-ports
  rig_.Receive(0, Tagged(Tagged(Frame(Upstream(3)), 7), 100));
  rig_.Receive(0, Tagged(Tagged(Frame(Upstream(4)), 0), 0));
  rig_.Receive(0, Tagged(Frame(Upstream(5)), 100, 0x88a8));
  rig_.Run();
  EXPECT_EQ(rig_.Drops("frame_vlan_unknown"), 2u);
  EXPECT_EQ(rig_.Drops("frame_vlan_nested"), 3u);
  EXPECT_EQ(rig_.TotalDrops(), 5u);
}

TEST_F(VlanTest, EveryTruncationIsDropped) {
  const Bytes frame = Tagged(Frame({}), 100);
  for (size_t len = 1; len < frame.size(); ++len) {
    rig_.Receive(0, Bytes(frame.begin(), frame.begin() + static_cast<long>(len)));
  }
  rig_.Run();
  EXPECT_EQ(rig_.Drops("frame_truncated"), frame.size() - 1);
}

TEST_F(VlanTest, TheSubPortsTapGetsAndGivesUntaggedFrames) {
  const Bytes arp =
      MakeEthernet({255, 255, 255, 255, 255, 255}, Rig::PeerMac(0), 0x0806, Bytes(28, 3));
  const Bytes to_us = Frame(MakeIpv4({kVlanHost, kLocal, 6}, Bytes(20, 1)));
  rig_.Receive(0, Tagged(arp, 100));
  rig_.Receive(0, Tagged(to_us, 100));
  rig_.Run();
  EXPECT_EQ(rig_.PuntedToPort(kSubPort), (std::vector<Bytes>{arp, to_us}));
  EXPECT_TRUE(rig_.PuntedToPort(0).empty());

  ASSERT_TRUE(rig_.datapath().ToPort(kSubPort, rig_.NewMbuf(arp)));
  ASSERT_TRUE(rig_.datapath().ToPort(0, rig_.NewMbuf(arp)));
  rig_.Run();
  const auto sent = rig_.Sent(0);
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(std::count(sent.begin(), sent.end(), Tagged(arp, 100)), 1);
  EXPECT_EQ(std::count(sent.begin(), sent.end(), arp), 1);
}

Rig::Options Jumbo(uint16_t mtu) {
  Rig::Options options;
  options.num_mbufs = 2047;
  options.data_room = 9216;
  options.configure = [mtu](unsigned /*port*/, PortSpec* spec) { spec->mtu = mtu; };
  return options;
}

TEST(JumboTest, NineThousandOctetsOfInnerPacketBothWays) {
  CallRig rig(Jumbo(9100));
  CallSpec spec = CallRig::Spec();
  spec.peer_mru = 9000;
  rig.Program(spec);
  const Bytes up = CallRig::PacketToServer(9000 - 20);
  const Bytes down = CallRig::PacketToClient(9000 - 20);
  rig.Upstream(kIpv4Frame + up);
  rig.ReceiveIpv4(1, down);
  rig.Run();
  const auto upstream = rig.Sent(1);
  ASSERT_EQ(upstream.size(), 1u);
  EXPECT_EQ(WithoutEthernet(upstream[0]), WithTtl(up, 63));
  const auto downstream = rig.Sent(0);
  ASSERT_EQ(downstream.size(), 1u);
  EXPECT_EQ(ParseTunnel(downstream[0]).ppp, kIpv4Frame + WithTtl(down, 63));
}

TEST(JumboTest, MppeCarriesThemToo) {
  CallRig sender(Jumbo(9100));
  CallRig receiver(Jumbo(9100));
  MppeKeySpec key;
  key.bits = 128;
  key.epoch = 1;
  key.start_key.fill(0x5c);
  CallSpec spec = CallRig::Spec();
  spec.peer_mru = 9004;
  spec.require_encryption = true;
  spec.send = key;
  sender.Program(spec);
  spec.send.reset();
  spec.receive = key;
  spec.client_address = kServer;  // the receiver sees what the server sent
  receiver.Program(spec);
  ASSERT_TRUE(
      receiver.datapath().SetRoute(kClient, 32, {RouteTarget::Kind::kAdjacency, 1, kRouter}).ok());
  for (const size_t len : {8900U, 9000U, 9000U}) {
    const Bytes inner = CallRig::PacketToClient(len - 20);
    sender.ReceiveIpv4(1, inner);
    sender.Run();
    const auto tunnel = sender.Sent(0);
    ASSERT_EQ(tunnel.size(), 1u);
    receiver.Upstream(ParseTunnel(tunnel[0]).ppp);
    receiver.Run();
    const auto sent = receiver.Sent(1);
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(WithoutEthernet(sent[0]), WithTtl(WithTtl(inner, 63), 62));
  }
}

TEST(JumboTest, AFrameInSeveralBuffersIsPutIntoOne) {
  CallRig rig(Jumbo(9100));
  rig.Program(CallRig::Spec());
  const Bytes inner = CallRig::PacketToServer(4000);
  wire::gre::Header header;
  header.call_id = kCallId;
  header.has_sequence = true;
  const Bytes frame = MakeEthernet(
      rig.ports()[0].mac, Rig::PeerMac(0), 0x0800,
      MakeIpv4({kPeer, kLocal, wire::gre::kIpProtocol}, MakeGre(header, kIpv4Frame + inner)));
  rte_mbuf* first = rig.NewMbuf(Bytes(frame.begin(), frame.begin() + 2048));
  ASSERT_EQ(rte_pktmbuf_chain(first, rig.NewMbuf(Bytes(frame.begin() + 2048, frame.end()))), 0);
  rig.ReceiveMbuf(0, first);
  rig.Run();
  const auto sent = rig.Sent(1);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(WithoutEthernet(sent[0]), WithTtl(inner, 63));
}

Rig::Options Checksums(bool rx, bool tx0, bool tx1) {
  Rig::Options options;
  options.configure = [=](unsigned port, PortSpec* spec) {
    spec->rx_checksum = rx;
    spec->tx_checksum = port == 0 ? tx0 : tx1;
  };
  return options;
}

// A GRE packet with a wrong or right outer checksum, of which the device says `word`.
uint64_t Accepted(bool trusted, bool right, uint64_t word) {
  CallRig rig(Checksums(trusted, false, false));
  rig.Program(CallRig::Spec());
  wire::gre::Header header;
  header.call_id = kCallId;
  header.has_sequence = true;
  Bytes packet = MakeIpv4({kPeer, kLocal, wire::gre::kIpProtocol},
                          MakeGre(header, kIpv4Frame + CallRig::PacketToServer()));
  packet[10] = static_cast<uint8_t>(packet[10] ^ (right ? 0 : 0x40));
  rte_mbuf* mbuf = rig.NewMbuf(MakeEthernet(rig.ports()[0].mac, Rig::PeerMac(0), 0x0800, packet));
  mbuf->ol_flags |= word;
  rig.ReceiveMbuf(0, mbuf);
  rig.Run();
  EXPECT_EQ(rig.Drops("outer_ip_checksum"), rig.TotalDrops());
  return rig.Sent(1).size();
}

TEST(ChecksumTest, TheDevicesWordCountsWhenItIsTrusted) {
  EXPECT_EQ(Accepted(true, false, RTE_MBUF_F_RX_IP_CKSUM_GOOD), 1u);  // not looked at again
  EXPECT_EQ(Accepted(true, true, RTE_MBUF_F_RX_IP_CKSUM_GOOD), 1u);
  EXPECT_EQ(Accepted(true, false, RTE_MBUF_F_RX_IP_CKSUM_BAD), 0u);
  EXPECT_EQ(Accepted(true, false, RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN), 0u);
  EXPECT_EQ(Accepted(true, true, RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN), 1u);
  EXPECT_EQ(Accepted(true, false, RTE_MBUF_F_RX_IP_CKSUM_NONE), 0u);
}

TEST(ChecksumTest, ItCountsNothingOtherwise) {
  EXPECT_EQ(Accepted(false, false, RTE_MBUF_F_RX_IP_CKSUM_GOOD), 0u);
  EXPECT_EQ(Accepted(false, true, RTE_MBUF_F_RX_IP_CKSUM_BAD), 1u);
}

// The mbuf that leaves by port 0 for the call's peer.
rte_mbuf* Downstream(CallRig* rig) {
  rig->Program(CallRig::Spec());
  rte_mbuf* mbuf = rig->NewMbuf(
      MakeEthernet(rig->ports()[1].mac, Rig::PeerMac(1), 0x0800, CallRig::PacketToClient()));
  mbuf->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_RSS_HASH;
  rig->ReceiveMbuf(1, mbuf);
  rig->Run();
  void* sent = nullptr;
  EXPECT_EQ(rte_ring_dequeue(rig->send_ring(0, 0), &sent), 0);
  return static_cast<rte_mbuf*>(sent);
}

TEST(ChecksumTest, TheSendingPortIsAskedWhenItCan) {
  CallRig rig(Checksums(false, true, false));
  rte_mbuf* mbuf = Downstream(&rig);
  EXPECT_EQ(mbuf->ol_flags, RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM);
  EXPECT_EQ(mbuf->l2_len, 14u);
  EXPECT_EQ(mbuf->l3_len, 20u);
  const auto* ip = rte_pktmbuf_mtod_offset(mbuf, const uint8_t*, 14);
  EXPECT_EQ(wire::LoadBe16(ip + 10), 0);
  EXPECT_TRUE(wire::ip::ParseIpv4({ip, 200}, true).has_value());
  rte_pktmbuf_free(mbuf);
}

TEST(ChecksumTest, SoftwareDoesItWhenThePortOfThisPacketCannot) {
  for (const bool other : {false, true}) {
    CallRig rig(Checksums(false, false, other));
    rte_mbuf* mbuf = Downstream(&rig);
    EXPECT_EQ(mbuf->ol_flags, 0u);
    const wire::Octets packet{rte_pktmbuf_mtod_offset(mbuf, const uint8_t*, 14),
                              rte_pktmbuf_data_len(mbuf) - 14U};
    EXPECT_TRUE(wire::ip::ParseIpv4(packet).has_value());
    rte_pktmbuf_free(mbuf);
  }
}

// A frame of the control plane's that the port's MTU splits.
TEST(ChecksumTest, FragmentsOfOuterPacketsHaveARightOne) {
  for (const bool first : {false, true}) {
    Rig::Options options = Checksums(false, first, true);
    options.configure = [configure = options.configure](unsigned port, PortSpec* spec) {
      configure(port, spec);
      spec->mtu = 576;
    };
    CallRig rig(options);
    const uint64_t handle = rig.Program(CallRig::Spec());
    ASSERT_TRUE(rig.datapath().SendFrame(handle, Hex("c021") + Bytes(1000, 1)));
    rig.Run();
    void* sent[4] = {};
    ASSERT_EQ(rte_ring_dequeue_burst(rig.send_ring(0, 0), sent, 4, nullptr), 2u);
    for (int i = 0; i < 2; ++i) {
      auto* mbuf = static_cast<rte_mbuf*>(sent[i]);
      const wire::Octets packet{rte_pktmbuf_mtod_offset(mbuf, const uint8_t*, 14),
                                rte_pktmbuf_data_len(mbuf) - 14U};
      if ((mbuf->ol_flags & RTE_MBUF_F_TX_IP_CKSUM) != 0) {
        EXPECT_TRUE(first);
        EXPECT_EQ(wire::LoadBe16(&packet[10]), 0);
        EXPECT_EQ(mbuf->l3_len, 20u);
      } else {
        EXPECT_TRUE(wire::ip::ParseIpv4(packet).has_value()) << i;
      }
      rte_pktmbuf_free(mbuf);
    }
  }
}

TEST(LinkTest, WithoutLinkPacketsAreDroppedByNameAndBackUpAllIsWell) {
  CallRig rig;
  rig.Program(CallRig::Spec());
  rig.datapath().SetPortUp(0, false);
  rig.ReceiveIpv4(1, CallRig::PacketToClient());
  rig.Upstream(kIpv4Frame + CallRig::PacketToServer());
  rig.Run();
  EXPECT_TRUE(rig.Sent(0).empty());
  EXPECT_EQ(rig.Drops("port_down"), 1u);
  EXPECT_EQ(rig.datapath().PortCounters()[0].down, 1u);
  EXPECT_EQ(rig.Sent(1).size(), 1u);  // the other one goes on

  rig.datapath().RemoveNeighbour(0, kPeer);  // as the kernel does
  rig.ReceiveIpv4(1, CallRig::PacketToClient());
  rig.Run();
  EXPECT_EQ(rig.Drops("port_down"), 2u);
  EXPECT_TRUE(rig.datapath().TakeUnresolved().empty());

  rig.datapath().SetPortUp(0, true);
  rig.datapath().SetNeighbour(0, kPeer, Rig::PeerMac(0));
  rig.ReceiveIpv4(1, CallRig::PacketToClient());
  rig.Run();
  EXPECT_EQ(rig.Sent(0).size(), 1u);
  EXPECT_EQ(rig.TotalDrops(), 2u);
}

TEST(TapTest, ATapThatNobodyEmptiesStopsNothing) {
  Rig::Options options;
  options.num_mbufs = 16383;
  CallRig rig(options);
  rig.Program(CallRig::Spec());
  const Bytes arp =
      MakeEthernet({255, 255, 255, 255, 255, 255}, Rig::PeerMac(0), 0x0806, Bytes(28, 3));
  constexpr unsigned kRounds = 100;
  constexpr unsigned kPerRound = 100;
  for (unsigned i = 0; i < kRounds; ++i) {
    for (unsigned j = 0; j < kPerRound; ++j) {
      rig.Receive(0, arp);
    }
    rig.Upstream(kIpv4Frame + CallRig::PacketToServer());
    rig.ReceiveIpv4(1, CallRig::PacketToClient());
    rig.Run();
    ASSERT_EQ(rig.Sent(1).size(), 1u) << i;
    ASSERT_EQ(rig.Sent(0).size(), 1u) << i;
  }
  const size_t kept = rig.PuntedToPort(0).size();
  EXPECT_GE(kept, 4095u);
  EXPECT_EQ(rig.Drops("punt_port_full"), kRounds * kPerRound - kept);
  EXPECT_EQ(rig.datapath().PortCounters()[0].tap_full, kRounds * kPerRound - kept);
  EXPECT_EQ(rig.datapath().PortCounters()[1].tap_full, 0u);
  rig.Receive(0, arp);
  rig.Run();
  EXPECT_EQ(rig.PuntedToPort(0).size(), 1u);
}

}  // namespace
}  // namespace culvert::dataplane
