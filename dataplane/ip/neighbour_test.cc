// Packets to a next hop whose Ethernet address is not known yet.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "dataplane/rig/call_rig.h"
#include "proto/wire/ip/icmp.h"

namespace culvert::dataplane {
namespace {

const Bytes kIpv4Frame = Hex("ff03 0021");
constexpr uint32_t kOnLink = Ip(198, 51, 100, 77);

Rig::Options WaitFor(uint32_t ms) {
  Rig::Options options;
  options.neighbour_wait_ms = ms;
  return options;
}

Bytes Numbered(uint32_t destination, uint16_t id) {
  return MakeIpv4({kClient, destination, 17, 64, id}, Bytes(32));
}

uint16_t IdOf(const Bytes& frame) { return wire::LoadBe16(&frame[14 + 4]); }

TEST(NeighbourTest, FirstPacketsWaitForTheAnswer) {
  CallRig rig;
  rig.Program(CallRig::Spec());
  rig.datapath().RemoveNeighbour(1, kRouter);
  for (uint16_t id = 0; id < 6; ++id) {
    rig.Upstream(kIpv4Frame + Numbered(kServer, id));
    rig.Upstream(kIpv4Frame + Numbered(kOnLink, id));
  }
  rig.Run();
  EXPECT_TRUE(rig.Sent(1).empty());
  EXPECT_EQ(rig.Drops("neighbour_unresolved"), 4u);  // four wait for each
  const std::vector<std::pair<uint16_t, uint32_t>> wanted = {{1, kRouter}, {1, kOnLink}};
  EXPECT_EQ(rig.datapath().TakeUnresolved(), wanted);
  rig.datapath().SetNeighbour(1, kRouter, Rig::PeerMac(1));
  rig.Upstream(kIpv4Frame + Numbered(kServer, 9));
  rig.Run();
  auto sent = rig.Sent(1);
  ASSERT_EQ(sent.size(), 5u);
  for (uint16_t id = 0; id < 4; ++id) {
    EXPECT_EQ(WithoutEthernet(sent[id]), WithTtl(Numbered(kServer, id), 63));
  }
  EXPECT_EQ(IdOf(sent[4]), 9);  // what came later leaves later
  rig.datapath().SetNeighbour(1, kOnLink, Rig::PeerMac(1));
  rig.Run();
  sent = rig.Sent(1);
  ASSERT_EQ(sent.size(), 4u);
  EXPECT_EQ(IdOf(sent[0]), 0);
  EXPECT_EQ(rig.TotalDrops(), 4u);
}

TEST(NeighbourTest, WithoutAnAnswerTheSenderIsTold) {
  CallRig rig(WaitFor(20));
  rig.Program(CallRig::Spec());
  const Bytes packet = Numbered(kOnLink, 1);
  rig.Upstream(kIpv4Frame + packet);
  rig.Run();
  EXPECT_TRUE(rig.Sent(0).empty());
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  rig.Run();
  const auto sent = rig.Sent(0);
  ASSERT_GE(sent.size(), 1u);  // an acknowledgement too, on a slow machine
  const Bytes ppp = ParseTunnel(sent[0]).ppp;
  ASSERT_GT(ppp.size(), 24u);
  const auto quoted = wire::icmp::Parse(wire::Octets(ppp).subspan(4 + 20));
  ASSERT_TRUE(quoted.has_value());
  EXPECT_EQ(quoted->message, wire::icmp::kHostUnreachable);
  EXPECT_EQ(quoted->destination, kOnLink);
  EXPECT_EQ(rig.Drops("neighbour_unresolved"), 1u);
  EXPECT_EQ(rig.TotalDrops(), 1u);
  EXPECT_TRUE(rig.Sent(1).empty());
}

TEST(NeighbourTest, TunnelPacketsWaitInOrder) {
  CallRig rig;
  rig.datapath().RemoveNeighbour(0, kPeer);
  const uint64_t handle = rig.Program(CallRig::Spec());
  for (int i = 0; i < 3; ++i) {
    rig.ReceiveIpv4(1, CallRig::PacketToClient());
  }
  rig.Run();
  EXPECT_TRUE(rig.Sent(0).empty());
  rig.datapath().SetNeighbour(0, kPeer, Rig::PeerMac(0));
  rig.ReceiveIpv4(1, CallRig::PacketToClient());
  rig.Run();
  const auto sent = rig.Sent(0);
  ASSERT_EQ(sent.size(), 4u);
  for (uint32_t i = 0; i < 4; ++i) {
    EXPECT_EQ(ParseTunnel(sent[i]).gre.sequence, i);
  }
  // The call ends while its packets wait, the neighbour never answers: nobody is told.
  rig.datapath().RemoveNeighbour(0, kPeer);
  rig.ReceiveIpv4(1, CallRig::PacketToClient());
  rig.Run();
  ASSERT_TRUE(rig.datapath().Remove(handle).ok());
  rig.datapath().SetNeighbour(0, kPeer, Rig::PeerMac(0));
  rig.Run();
  EXPECT_EQ(rig.Sent(0).size(), 1u);
  EXPECT_EQ(rig.TotalDrops(), 0u);
}

// The rig's destructor sees that what still waits goes back to the pool.
TEST(NeighbourTest, WhoScansFillsNoMoreThanTheRoomThereIs) {
  CallRig rig;
  rig.Program(CallRig::Spec());
  for (uint32_t host = 2; host < 252; ++host) {
    rig.Upstream(kIpv4Frame + Numbered(Ip(198, 51, 100, host), 1));
  }
  rig.Run();
  EXPECT_EQ(rig.Drops("neighbour_unresolved"), 250u - 64u);
}

}  // namespace
}  // namespace culvert::dataplane
