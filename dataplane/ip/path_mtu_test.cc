// Narrow places on the way to a client whose outer packets must not be cut.
#include "dataplane/ip/path_mtu.h"

#include <gtest/gtest.h>

#include "dataplane/rig/call_rig.h"
#include "proto/wire/ip/icmp.h"

namespace culvert::dataplane {
namespace {

namespace icmp = wire::icmp;
constexpr uint16_t kDontFragment = 0x4000;
constexpr uint32_t kNarrowRouter = Ip(10, 99, 0, 77);

TEST(PathMtuTableTest, TimeFloorAndKeys) {
  PathMtuTable table;
  const PathMtuTable::Key key{kLocal, kPeer, 7};
  EXPECT_EQ(table.Find(key, 5000), 0);
  table.Learn(key, 1400, 0xfffff000);  // the clock wraps
  EXPECT_EQ(table.Find(key, 0xfffff000), 1400);
  EXPECT_EQ(table.Find(key, 590'000), 1400);
  EXPECT_EQ(table.Find(key, 605'000), 0);
  EXPECT_EQ(table.Find({kLocal, kPeer, 8}, 0xfffff000), 0);
  EXPECT_EQ(table.Find({kLocal, kPeer + 1, 7}, 0xfffff000), 0);
  EXPECT_EQ(table.Find({kLocal + 1, kPeer, 7}, 0xfffff000), 0);
  table.Learn(key, 68, 0);
  EXPECT_EQ(table.Find(key, 0), 576);
}

class PathMtuTest : public ::testing::Test {
 protected:
  PathMtuTest() {
    CallSpec spec = CallRig::Spec();
    spec.outer.dont_fragment = true;
    rig_.Program(spec);
  }
  // Outer gives the outer packet of an inner one of `len` octets.
  Bytes Outer(size_t len) {
    rig_.ReceiveIpv4(1, CallRig::PacketToClient(len - 20));
    rig_.Run();
    const auto sent = rig_.Sent(0);
    EXPECT_EQ(sent.size(), 1u);
    return sent.empty() ? Bytes() : WithoutEthernet(sent[0]);
  }
  // Tell has a router say that `outer` was too big.
  void Tell(const Bytes& outer, uint16_t mtu, size_t quote_len = 28) {
    const Bytes quote(outer.begin(), outer.begin() + static_cast<ptrdiff_t>(quote_len));
    Bytes packet(icmp::ErrorPacketLen(quote.size()));
    icmp::EmitErrorPacket(icmp::FragmentationNeeded(mtu), kNarrowRouter, kLocal, 1, quote, packet);
    rig_.ReceiveIpv4(0, packet);
    rig_.Run();
  }
  // InnerMtu is what the sender of a packet of 1460 octets is told; 0: it passes.
  uint32_t InnerMtu() {
    rig_.ReceiveIpv4(1, MakeIpv4({kServer, kClient, 17, 64, 0, kDontFragment}, Bytes(1440)));
    rig_.Run();
    if (rig_.Sent(0).size() == 1) {
      return 0;
    }
    const auto sent = rig_.Sent(1);
    EXPECT_EQ(sent.size(), 1u);
    const auto quoted = icmp::Parse(wire::Octets(sent.at(0)).subspan(14 + 20));
    return quoted ? quoted->message.mtu : 0;
  }

  CallRig rig_;
};

TEST_F(PathMtuTest, RoutersAreHeeded) {
  const Bytes outer = Outer(1460);
  EXPECT_EQ(outer.size(), 1496u);  // no acknowledgement in it
  EXPECT_EQ(InnerMtu(), 0u);
  Tell(outer, 1400);
  EXPECT_EQ(InnerMtu(), 1360u);
  EXPECT_TRUE(rig_.PuntedToPort(0).empty());
  // What may be cut is cut, to pieces that pass.
  rig_.ReceiveIpv4(1, CallRig::PacketToClient(1400));
  rig_.Run();
  const auto sent = rig_.Sent(0);
  ASSERT_EQ(sent.size(), 2u);
  for (const Bytes& frame : sent) {
    EXPECT_LE(frame.size() - 14, 1400u);
    EXPECT_TRUE(ParseTunnel(frame).ip.DontFragment());
  }
  Tell(outer, 100);
  EXPECT_EQ(InnerMtu(), 576u - 40u);
}

TEST_F(PathMtuTest, OldRoutersSayNothing) {
  Tell(Outer(1460), 0);
  EXPECT_EQ(InnerMtu(), 1492u - 40u);
}

TEST_F(PathMtuTest, WhoLiesIsNotBelieved) {
  const Bytes outer = Outer(1460);
  Tell(outer, 1496);  // no smaller than what was sent
  EXPECT_EQ(InnerMtu(), 0u);
  Bytes other = outer;
  other[26] ^= 1;  // another call's
  Tell(other, 1000);
  EXPECT_EQ(InnerMtu(), 0u);
  EXPECT_TRUE(rig_.PuntedToPort(0).empty());
  // What is not about GRE packets of ours is the kernel's.
  other = outer;
  other[9] = 6;
  Tell(other, 1000);
  other = outer;
  other[15] ^= 1;  // from another address
  Tell(other, 1000);
  Tell(outer, 1000, 27);
  EXPECT_EQ(rig_.PuntedToPort(0).size(), 3u);
  EXPECT_EQ(InnerMtu(), 0u);
}

TEST_F(PathMtuTest, OtherCallsAreLeftAlone) {
  Tell(Outer(1460), 1000);
  EXPECT_EQ(InnerMtu(), 960u);
  // Without DF a narrow place cuts by itself.
  rig_.Program(CallRig::Spec());
  EXPECT_EQ(InnerMtu(), 0u);
}

}  // namespace
}  // namespace culvert::dataplane
