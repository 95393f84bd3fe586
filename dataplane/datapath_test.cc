// The whole path: packets in, packets out, counters.
#include <gtest/gtest.h>

#include "dataplane/rig/call_rig.h"

namespace culvert::dataplane {
namespace {

const Bytes kIpv4Frame = Hex("ff03 0021");

TEST(DatapathTest, UpstreamInClear) {
  CallRig rig;
  const uint64_t handle = rig.Program(CallRig::Spec());
  const Bytes inner = CallRig::PacketToServer();
  rig.Upstream(kIpv4Frame + inner);
  rig.Run();
  const auto sent = rig.Sent(1);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0], MakeEthernet(Rig::PeerMac(1), rig.ports()[1].mac, 0x0800, WithTtl(inner, 63)));
  EXPECT_EQ(rig.TotalDrops(), 0u);
  const auto counters = rig.datapath().CallCounters();
  ASSERT_EQ(counters.size(), 1u);
  EXPECT_EQ(counters[0].first, handle);
  EXPECT_EQ(counters[0].second.upstream_packets, 1u);
  EXPECT_EQ(counters[0].second.upstream_octets, inner.size());
}

TEST(DatapathTest, DownstreamInClear) {
  CallRig rig;
  rig.Program(CallRig::Spec());
  const Bytes inner = CallRig::PacketToClient();
  rig.ReceiveIpv4(1, inner + Bytes(6, 0));  // with a NIC's padding
  rig.Run();
  const auto sent = rig.Sent(0);
  ASSERT_EQ(sent.size(), 1u);
  const TunnelPacket packet = ParseTunnel(sent[0]);
  EXPECT_EQ(packet.ip.source, kLocal);
  EXPECT_EQ(packet.ip.destination, kPeer);
  EXPECT_EQ(packet.ip.ttl, 64);
  EXPECT_EQ(packet.ip.fragment, 0);
  EXPECT_EQ(packet.gre.call_id, kPeerCallId);
  EXPECT_TRUE(packet.gre.has_sequence);
  EXPECT_EQ(packet.gre.sequence, 0u);
  EXPECT_FALSE(packet.gre.has_ack);
  EXPECT_EQ(packet.ppp, kIpv4Frame + WithTtl(inner, 63));
  const auto counters = rig.datapath().CallCounters();
  EXPECT_EQ(counters[0].second.downstream_packets, 1u);
  EXPECT_EQ(counters[0].second.downstream_octets, inner.size());
}

// Two calls with crossed keys: what one encrypts the other decrypts.
TEST(DatapathTest, MppeRoundTrip) {
  for (const uint16_t bits : {40, 56, 128}) {
    CallRig sender;
    CallRig receiver;
    MppeKeySpec key;
    key.bits = bits;
    key.epoch = 1;
    for (size_t i = 0; i < (bits == 128 ? 16 : 8); ++i) {
      key.start_key[i] = static_cast<uint8_t>(17 * i + 3);
    }
    CallSpec spec = CallRig::Spec();
    spec.require_encryption = true;
    spec.send = key;
    sender.Program(spec);
    spec.send.reset();
    spec.receive = key;
    spec.client_address = kServer;  // the roles swap: the receiver sees what the server sent
    receiver.Program(spec);
    for (int i = 0; i < 3; ++i) {
      const Bytes inner = CallRig::PacketToClient(10 + static_cast<size_t>(i));
      sender.ReceiveIpv4(1, inner);
      sender.Run();
      const auto tunnel = sender.Sent(0);
      ASSERT_EQ(tunnel.size(), 1u);
      const Bytes ppp = ParseTunnel(tunnel[0]).ppp;
      EXPECT_EQ(Bytes(ppp.begin(), ppp.begin() + 6), Hex("ff03 00fd 900" + std::to_string(i)));
      receiver.Upstream(ppp);
      receiver.Run();
      // The ICMP error about it finds no key to go back with.
      EXPECT_EQ(receiver.TotalDrops() - receiver.Drops("encryption_missing"),
                1u * static_cast<uint64_t>(i) + 1)
          << bits;
      EXPECT_EQ(receiver.Drops("no_client"), 1u * static_cast<uint64_t>(i) + 1);
    }
    EXPECT_EQ(receiver.datapath().CallCounters()[0].second.upstream_packets, 3u);
  }
}

}  // namespace
}  // namespace culvert::dataplane
