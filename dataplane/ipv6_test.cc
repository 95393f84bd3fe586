// IPv6 inside calls: packets in, packets out, counters.
#include <gtest/gtest.h>

#include "dataplane/forwarding/fib6.h"
#include "dataplane/forwarding/prefix_table.h"
#include "dataplane/rig/call_rig.h"
#include "dataplane/steps/steps.h"
#include "proto/wire/ip/icmp.h"
#include "proto/wire/ip/ip6.h"
#include "proto/wire/ppp.h"

namespace culvert::dataplane {
namespace {

const Bytes kIpv6Frame = Hex("ff03 0057");
constexpr uint64_t kInterfaceId = 0x0200'00ff'fe00'0007;

constexpr Ipv6Number Ip6(uint64_t high, uint64_t low) { return absl::MakeUint128(high, low); }
constexpr Ipv6Number kClients6 = Ip6(0x2001'0db8'0001'0000, 0);  // /48
constexpr Ipv6Number kPrefix6 = Ip6(0x2001'0db8'0001'0007, 0);   // /64, the call's
constexpr Ipv6Number kClient6 = kPrefix6 + 5;
constexpr Ipv6Number kGateway6 = Ip6(0x2001'0db8'0001'0000, 1);
constexpr Ipv6Number kServer6 = Ip6(0x2001'0db8'ffff'0000, 0x80);
constexpr Ipv6Number kRouter6 = Ip6(0xfe80'0000'0000'0000, 1);
constexpr Ipv6Number kBehind6 = Ip6(0x2001'0db8'0002'0100, 0);  // /56, routed to the call

struct Ipv6Packet {
  Ipv6Number source, destination;
  uint8_t next_header = wire::ip6::kUdp;
  uint8_t hop_limit = 64;
};
Bytes MakeIpv6(const Ipv6Packet& spec, const Bytes& payload) {
  wire::ip6::Header header;
  header.next_header = spec.next_header;
  header.hop_limit = spec.hop_limit;
  header.payload_len = static_cast<uint16_t>(payload.size());
  header.source = ToOctets(spec.source);
  header.destination = ToOctets(spec.destination);
  Bytes packet(wire::ip6::kHeaderLen);
  wire::ip6::Emit(header, packet.data());
  return std::move(packet) + payload;
}
PrefixSpec Prefix(Ipv6Number prefix, uint8_t len) { return {ToOctets(prefix), len, true}; }

class Ipv6Test : public testing::Test {
 protected:
  Ipv6Test() {
    Datapath& path = rig_.datapath();
    EXPECT_TRUE(path.SetIpv6Route(kClients6, 48, {RouteKind::kClients, 0, 0}).ok());
    EXPECT_TRUE(path.SetIpv6Route(kGateway6, 128, {RouteKind::kLocal, 0, 0}).ok());
    EXPECT_TRUE(path.SetIpv6Route(0, 0, {RouteKind::kAdjacency, 1, kRouter6}).ok());
    path.SetIpv6Neighbour(1, kRouter6, Rig::PeerMac(1));
    rig_.Program(Spec());
  }
  static CallSpec Spec() {
    CallSpec spec = CallRig::Spec();
    spec.ipv6 = {true, kInterfaceId, Prefix(kPrefix6, 64)};
    spec.routes = {Prefix(kBehind6, 56)};
    return spec;
  }
  void Upstream(const Bytes& packet) {
    rig_.Upstream(kIpv6Frame + packet);
    rig_.Run();
  }
  void FromPort(unsigned port, const Bytes& packet) {
    rig_.Receive(port, MakeEthernet(rig_.ports()[port].mac, Rig::PeerMac(port), 0x86dd, packet));
    rig_.Run();
  }
  // Whether a packet from the Internet gets to the call.
  bool Reaches(Ipv6Number destination) {
    const Bytes packet = MakeIpv6({kServer6, destination}, Bytes(8, 7));
    FromPort(1, packet);
    const auto sent = rig_.Sent(0);
    if (sent.size() != 1) return false;
    const Bytes ppp = ParseTunnel(sent[0]).ppp;
    return ppp == kIpv6Frame + WithHopLimit(packet, 63);
  }
  static Bytes WithHopLimit(Bytes packet, uint8_t hop_limit) {
    packet[7] = hop_limit;
    return packet;
  }

  CallRig rig_;
};

TEST_F(Ipv6Test, UpstreamToTheInternet) {
  const Bytes packet = MakeIpv6({kClient6, kServer6}, Bytes(100, 1));
  Upstream(packet);
  const auto sent = rig_.Sent(1);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0],
            MakeEthernet(Rig::PeerMac(1), rig_.ports()[1].mac, 0x86dd, WithHopLimit(packet, 63)));
  const CallTotals totals = rig_.datapath().List()[0].totals;
  EXPECT_EQ(totals.upstream_packets, 1u);
  EXPECT_EQ(totals.upstream_octets, 140u);
  Upstream(MakeIpv6({kBehind6 + 3, kServer6}, Bytes(8)));
  EXPECT_EQ(rig_.Sent(1).size(), 1u);
  EXPECT_EQ(rig_.TotalDrops(), 0u);
}

TEST_F(Ipv6Test, DownstreamToTheCall) {
  EXPECT_TRUE(Reaches(kClient6));
  EXPECT_TRUE(Reaches(kBehind6 + 77));
  EXPECT_FALSE(Reaches(kBehind6 + Ip6(0x100, 0)));  // the default route again
  EXPECT_EQ(rig_.Sent(1).size(), 1u);
  EXPECT_FALSE(Reaches(kPrefix6 + Ip6(1, 0)));
  EXPECT_EQ(rig_.Drops("no_client"), 1u);
  EXPECT_EQ(rig_.datapath().List()[0].totals.downstream_packets, 2u);
  EXPECT_EQ(rig_.datapath().List()[0].totals.downstream_octets, 96u);
}

TEST_F(Ipv6Test, SharesTheEncryptionOfTheCall) {
  CallSpec spec = Spec();
  spec.require_encryption = true;
  rig_.Program(spec);
  FromPort(1, MakeIpv6({kServer6, kClient6}, Bytes(8)));
  EXPECT_EQ(rig_.Drops("encryption_missing"), 1u);
  Upstream(MakeIpv6({kClient6, kServer6}, Bytes(8)));
  EXPECT_EQ(rig_.Drops("clear_data"), 1u);
  spec.send = MppeKeySpec{.bits = 128, .epoch = 1};
  rig_.Program(spec);
  FromPort(1, MakeIpv6({kServer6, kClient6}, Bytes(8)));
  const auto sent = rig_.Sent(0);
  ASSERT_EQ(sent.size(), 1u);
  const Bytes ppp = ParseTunnel(sent[0]).ppp;
  EXPECT_EQ(wire::LoadBe16(&ppp[2]), wire::ppp::kMppe);
  EXPECT_EQ(ppp.size(), 4u + 2 + 2 + 48);
}

TEST_F(Ipv6Test, SpoofedSourcesAreDropped) {
  Upstream(MakeIpv6({kPrefix6 + Ip6(1, 0), kServer6}, Bytes(8)));
  Upstream(MakeIpv6({kServer6, kServer6 + 1}, Bytes(8)));
  EXPECT_EQ(rig_.Drops("source_spoofed"), 2u);
  // Someone else's link-local address on the own link.
  const Ipv6Number all_routers = Ip6(0xff02'0000'0000'0000, 2);
  Upstream(MakeIpv6({kRouter6, all_routers, wire::ip6::kIcmp}, Bytes(8)));
  EXPECT_EQ(rig_.Drops("source_spoofed"), 3u);
  EXPECT_EQ(rig_.datapath().List()[0].totals.upstream_drops, 3u);
}

TEST_F(Ipv6Test, WhatAClientSaysOnItsLinkGoesToTheControlPlane) {
  const Ipv6Number own = Ip6(0xfe80'0000'0000'0000, kInterfaceId);
  const Bytes packets[] = {
      MakeIpv6({own, Ip6(0xff02'0000'0000'0000, 2), wire::ip6::kIcmp, 255},
               Hex("85007d3800000000")),
      MakeIpv6({0, Ip6(0xff02'0000'0000'0000, 0x1'ff00'0007), wire::ip6::kIcmp, 255},
               Hex("87000000 00000000") + Bytes(16)),
      MakeIpv6({own, kRouter6, wire::ip6::kUdp, 1}, Hex("02220223 0008 0000")),
      MakeIpv6({kClient6, Ip6(0xff02'0000'0000'0000, 1), wire::ip6::kIcmp},
               Hex("80000000 00010001"))};
  for (const Bytes& packet : packets) {
    Upstream(packet);
  }
  const auto frames = rig_.PuntedFrames();
  ASSERT_EQ(frames.size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(frames[i].data, Hex("0057") + packets[i]);
  }
  EXPECT_EQ(rig_.TotalDrops(), 0u);
}

TEST_F(Ipv6Test, OtherTalkOnTheLinkCostsTheControlPlaneNothing) {
  const Ipv6Number own = Ip6(0xfe80'0000'0000'0000, kInterfaceId);
  const Ipv6Number all = Ip6(0xff02'0000'0000'0000, 0xfb);
  Upstream(MakeIpv6({own, all, wire::ip6::kUdp, 255}, Hex("14e914e9 0008 0000")));
  Upstream(MakeIpv6({own, all, wire::ip6::kIcmp, 255}, Hex("8f000000 00000000")));
  Upstream(MakeIpv6({own, all, wire::ip6::kIcmp, 255}, Hex("850000")));
  Upstream(MakeIpv6({own, all, wire::ip6::kUdp, 255}, Hex("02220223")));
  Upstream(MakeIpv6({own, all, wire::ip6::kHopByHop, 1}, Hex("3a00 0502 0000 0100") + Bytes(8)));
  EXPECT_EQ(rig_.Drops("ipv6_link_scope"), 5u);
  EXPECT_TRUE(rig_.PuntedFrames().empty());
}

TEST_F(Ipv6Test, TheControlPlaneSpeaksAsTheRouterDoes) {
  const uint64_t handle = rig_.datapath().List()[0].spec.handle;
  const Bytes advertisement =
      MakeIpv6({kRouter6, Ip6(0xff02'0000'0000'0000, 1), wire::ip6::kIcmp, 255}, Bytes(16, 8));
  const auto say = [&] {
    EXPECT_TRUE(rig_.datapath().SendFrame(handle, Hex("0057") + advertisement));
    rig_.Run();
    const auto sent = rig_.Sent(0);
    return sent.size() == 1 ? ParseTunnel(sent[0]).ppp : Bytes();
  };
  EXPECT_EQ(say(), kIpv6Frame + advertisement);
  CallSpec spec = Spec();
  spec.send_acfc = spec.send_pfc = true;
  rig_.Program(spec);
  EXPECT_EQ(say(), Hex("57") + advertisement);
  spec.require_encryption = true;
  rig_.Program(spec);
  EXPECT_EQ(say(), Bytes());
  EXPECT_EQ(rig_.Drops("encryption_missing"), 1u);
  spec.send = MppeKeySpec{.bits = 128, .epoch = 1};
  rig_.Program(spec);
  const Bytes ppp = say();
  ASSERT_EQ(ppp.size(), 1 + 2 + 2 + advertisement.size());
  EXPECT_EQ(ppp[0], wire::ppp::kMppe);
  EXPECT_EQ(rig_.datapath().List()[0].totals.downstream_packets, 0u);
}

TEST_F(Ipv6Test, WithoutIpv6OfTheCallTheControlPlaneMayReject) {
  rig_.Program(CallRig::Spec());
  const Bytes packet = MakeIpv6({kClient6, kServer6}, Bytes(8));
  Upstream(packet);
  const auto frames = rig_.PuntedFrames();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].data, Hex("0057") + packet);
  EXPECT_FALSE(Reaches(kClient6) || Reaches(kBehind6));
}

TEST_F(Ipv6Test, LocalAddressesAreTheKernels) {
  const Bytes packet = MakeIpv6({kClient6, kGateway6, wire::ip6::kIcmp}, Bytes(8));
  Upstream(packet);
  const auto punted = rig_.PuntedToClients();
  ASSERT_EQ(punted.size(), 1u);
  EXPECT_EQ(punted[0], packet);
  const Bytes from_port = MakeIpv6({kServer6, kGateway6, wire::ip6::kIcmp}, Bytes(8));
  FromPort(1, from_port);
  const auto frames = rig_.PuntedToPort(1);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0], MakeEthernet(rig_.ports()[1].mac, Rig::PeerMac(1), 0x86dd, from_port));
  // The answer, out of the kernel: its hop limit is the kernel's business.
  const Bytes answer = MakeIpv6({kGateway6, kClient6, wire::ip6::kIcmp}, Bytes(8));
  ASSERT_TRUE(rig_.datapath().ToClients(rig_.NewMbuf(answer)));
  rig_.Run();
  const auto sent = rig_.Sent(0);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(ParseTunnel(sent[0]).ppp, kIpv6Frame + answer);
}

TEST_F(Ipv6Test, NeighbourDiscoveryOfPortsIsTheKernels) {
  FromPort(1,
           MakeIpv6({kRouter6, Ip6(0xfe80'0000'0000'0000, 2), wire::ip6::kIcmp, 255}, Bytes(24)));
  FromPort(1, MakeIpv6({0, kServer6, wire::ip6::kIcmp, 255}, Bytes(24)));
  EXPECT_EQ(rig_.PuntedToPort(1).size(), 2u);
  // The kernel's own for the clients' links stay inside.
  ASSERT_TRUE(rig_.datapath().ToClients(rig_.NewMbuf(
      MakeIpv6({kRouter6, Ip6(0xff02'0000'0000'0000, 2), wire::ip6::kIcmp, 255}, Bytes(8)))));
  rig_.Run();
  EXPECT_EQ(rig_.Drops("ipv6_link_scope"), 1u);
}

TEST_F(Ipv6Test, BadPacketsHaveNames) {
  const Bytes good = MakeIpv6({kClient6, kServer6}, Bytes(8));
  Upstream(Bytes(good.begin(), good.begin() + 39));
  EXPECT_EQ(rig_.Drops("ipv6_truncated"), 1u);
  Bytes bad = good;
  bad[0] = 0x40;
  Upstream(bad);
  EXPECT_EQ(rig_.Drops("ipv6_version"), 1u);
  bad = good;
  bad[5] = 9;
  Upstream(bad);
  FromPort(1, bad);
  EXPECT_EQ(rig_.Drops("ipv6_payload_len"), 2u);
  FromPort(1, MakeIpv6({Ip6(0, 1), kClient6}, Bytes(8)));
  EXPECT_EQ(rig_.Drops("martian_source"), 1u);
  Upstream(MakeIpv6({kClient6, Ip6(0, 1)}, Bytes(8)));
  EXPECT_EQ(rig_.Drops("martian_destination"), 1u);
  Upstream(
      MakeIpv6({kClient6, kServer6, wire::ip6::kRouting}, Hex("11 02 00 01 00000000") + Bytes(16)));
  EXPECT_EQ(rig_.Drops("ipv6_source_route"), 1u);
  Upstream(MakeIpv6({kClient6, kServer6, wire::ip6::kHopByHop}, Hex("11 ff 0000 00000000")));
  EXPECT_EQ(rig_.Drops("ipv6_extension"), 1u);
  Upstream(MakeIpv6({kClient6, kServer6, wire::ip6::kUdp, 1}, Bytes(8)));
  FromPort(1, MakeIpv6({kServer6, kClient6, wire::ip6::kUdp, 1}, Bytes(8)));
  EXPECT_EQ(rig_.Drops("ttl_exceeded"), 2u);
  EXPECT_EQ(rig_.Sent(0).size() + rig_.Sent(1).size(), 0u);
}

TEST_F(Ipv6Test, LargePacketsAndSegments) {
  CallSpec spec = Spec();
  spec.mtu = 1280;
  rig_.Program(spec);
  FromPort(1, MakeIpv6({kServer6, kClient6}, Bytes(1241)));
  EXPECT_EQ(rig_.Drops("inner_too_big"), 1u);
  FromPort(1, MakeIpv6({kServer6, kClient6}, Bytes(1240)));
  EXPECT_EQ(rig_.Sent(0).size(), 1u);
  Bytes syn = Hex("c000 0050 12345678 00000000 6002 faf0 0000 0000 0204 05a0");
  FromPort(1, MakeIpv6({kServer6, kClient6, wire::ip6::kTcp}, syn));
  const auto down = rig_.Sent(0);
  ASSERT_EQ(down.size(), 1u);
  const Bytes ppp = ParseTunnel(down[0]).ppp;
  EXPECT_EQ(wire::LoadBe16(&ppp[ppp.size() - 2]), 1220);
  Upstream(MakeIpv6({kClient6, kServer6, wire::ip6::kTcp}, syn));
  const auto up = rig_.Sent(1);
  ASSERT_EQ(up.size(), 1u);
  EXPECT_EQ(wire::LoadBe16(&up[0][up[0].size() - 2]), 1220);
}

// RFC 1191 for a call whose outer packets may not be cut: the sender learns of the narrow place.
TEST_F(Ipv6Test, ANarrowPlaceOnTheWayToTheClientIsTold) {
  rig_.datapath().own_addresses().SetIpv6(1, ToOctets(kGateway6));
  CallSpec spec = Spec();
  spec.outer.dont_fragment = true;
  rig_.Program(spec);
  FromPort(1, MakeIpv6({kServer6, kClient6}, Bytes(1400)));
  const auto tunnel = rig_.Sent(0);
  ASSERT_EQ(tunnel.size(), 1u);
  const auto told_at = [&](uint16_t outer_mtu) -> uint32_t {
    const Bytes quote(tunnel[0].begin() + 14, tunnel[0].begin() + 14 + 28);
    Bytes error(wire::icmp::ErrorPacketLen(quote.size()));
    wire::icmp::EmitErrorPacket(wire::icmp::FragmentationNeeded(outer_mtu), kPeer2, kLocal, 1,
                                quote, error);
    rig_.ReceiveIpv4(0, error);
    FromPort(1, MakeIpv6({kServer6, kClient6}, Bytes(1400)));
    EXPECT_TRUE(rig_.Sent(0).empty());
    const auto sent = rig_.Sent(1);
    EXPECT_EQ(sent.size(), 1u);
    return sent.empty() ? 0 : wire::LoadBe32(&sent[0][14 + 40 + 4]);
  };
  EXPECT_EQ(told_at(1400), 1400u - 40);
  EXPECT_EQ(told_at(800), 1280u) << "no IPv6 sender goes below";
}

// The control side may take a call's IPv6 while its packets are on their way.
TEST(InnerIpv6StepTest, IPv6ThatIsTakenMeanwhile) {
  CallRig rig;
  auto prefixes = *CallPrefixTable::Create();
  WorkerContext context;
  context.prefixes = prefixes.get();
  const Bytes to_the_link =
      MakeIpv6({Ip6(0xfe80ULL << 48, kInterfaceId), Ip6(0xff02ULL << 48, 2)}, Bytes(8));
  rte_mbuf* mbuf = rig.NewMbuf(to_the_link);
  Packet& packet = ResetPacket(mbuf);
  Call call{};
  packet.call = &call;
  packet.length = static_cast<uint16_t>(to_the_link.size());
  const Verdict verdict = InnerIpv6Step(packet, context);
  ASSERT_EQ(verdict.kind(), Verdict::Kind::kDrop);
  EXPECT_EQ(verdict.reason(), DropReason::call_stale);
  rte_pktmbuf_free(mbuf);
}

// Errors of RFC 4443, from our address on the side that they leave by.
TEST_F(Ipv6Test, SendersAreToldWhatIsWrong) {
  const Ipv6Number own = Ip6(0x2001'0db8'00ff'0000, 1);
  rig_.datapath().own_addresses().SetIpv6(1, ToOctets(own));
  rig_.datapath().own_addresses().SetIpv6(OwnAddresses::kClients, ToOctets(kGateway6));
  CallSpec spec = Spec();
  spec.mtu = 1280;
  rig_.Program(spec);
  const auto expect = [](const Bytes& packet, Ipv6Number source, Ipv6Number destination,
                         const char* message) {
    ASSERT_GE(packet.size(), 48u);
    const auto header = wire::ip6::Parse(packet);
    ASSERT_TRUE(header);
    EXPECT_EQ(NumberOf(header->source.data()), source);
    EXPECT_EQ(NumberOf(header->destination.data()), destination);
    EXPECT_EQ(header->hop_limit, 64);
    const auto icmp = wire::Octets(packet).subspan(40);
    EXPECT_EQ(wire::ip6::Checksum(header->source, header->destination, wire::ip6::kIcmp, icmp), 0);
    const Bytes wanted = Hex(message);  // type, code; what follows the checksum
    EXPECT_EQ(Bytes(icmp.begin(), icmp.begin() + 2), Bytes(wanted.begin(), wanted.begin() + 2));
    EXPECT_EQ(Bytes(icmp.begin() + 4, icmp.begin() + 8), Bytes(wanted.begin() + 2, wanted.end()));
  };
  const auto to_internet = [&] {
    const auto sent = rig_.Sent(1);
    return sent.size() == 1 ? WithoutEthernet(sent[0]) : Bytes();
  };
  const auto to_client = [&] {
    const auto sent = rig_.Sent(0);
    if (sent.size() != 1) return Bytes();
    const Bytes ppp = ParseTunnel(sent[0]).ppp;
    return Bytes(ppp.begin() + 4, ppp.end());
  };
  FromPort(1, MakeIpv6({kServer6, kClient6}, Bytes(1241)));
  expect(to_internet(), own, kServer6, "0200 00000500");
  FromPort(1, MakeIpv6({kServer6, kClient6, wire::ip6::kUdp, 1}, Bytes(8)));
  expect(to_internet(), own, kServer6, "0300 00000000");
  FromPort(1, MakeIpv6({kServer6, kPrefix6 + Ip6(1, 0)}, Bytes(8)));
  expect(to_internet(), own, kServer6, "0103 00000000");
  Upstream(MakeIpv6({kClient6, kServer6, wire::ip6::kUdp, 1}, Bytes(8)));
  expect(to_client(), kGateway6, kClient6, "0300 00000000");
  ASSERT_TRUE(rig_.datapath().RemoveIpv6Route(0, 0).ok());
  Upstream(MakeIpv6({kClient6, kServer6}, Bytes(8)));
  expect(to_client(), kGateway6, kClient6, "0100 00000000");
}

TEST_F(Ipv6Test, NeighboursAreAskedFor) {
  Datapath& path = rig_.datapath();
  path.RemoveIpv6Neighbour(1, kRouter6);
  Upstream(MakeIpv6({kClient6, kServer6}, Bytes(8)));
  using Wanted = std::vector<std::pair<uint16_t, Ipv6Number>>;
  EXPECT_EQ(path.TakeIpv6Unresolved(), (Wanted{{1, kRouter6}}));
  const Ipv6Number link = Ip6(0x2001'0db8'0003'0000, 0);
  ASSERT_TRUE(path.SetIpv6Route(link, 64, {RouteKind::kAdjacency, 1, 0}).ok());
  Upstream(MakeIpv6({kClient6, link + 9}, Bytes(8)));
  EXPECT_EQ(path.TakeIpv6Unresolved(), (Wanted{{1, link + 9}}));
  EXPECT_EQ(rig_.Drops("neighbour_unresolved"), 2u);
  path.SetIpv6Neighbour(1, link + 9, {2, 2, 2, 2, 2, 2});
  Upstream(MakeIpv6({kClient6, link + 9}, Bytes(8)));
  const auto sent = rig_.Sent(1);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0][0], 2);
  EXPECT_EQ(sent[0][5], 2);
}

TEST_F(Ipv6Test, CallsAreFoundWhereverTheClientsNetworksAre) {
  Datapath& path = rig_.datapath();
  ASSERT_TRUE(path.RemoveIpv6Route(kClients6, 48).ok());
  EXPECT_TRUE(Reaches(kClient6));
  ASSERT_TRUE(
      path.SetIpv6Route(Ip6(0x2001'0db8'0000'0000, 0), 40, {RouteKind::kClients, 0, 0}).ok());
  EXPECT_TRUE(Reaches(kClient6));
  ASSERT_TRUE(path.SetIpv6Route(kPrefix6, 64, {RouteKind::kBlackhole, 0, 0}).ok());
  EXPECT_TRUE(Reaches(kClient6));
  ASSERT_TRUE(path.SetIpv6Route(kClient6, 128, {RouteKind::kLocal, 0, 0}).ok());
  EXPECT_FALSE(Reaches(kClient6));
  EXPECT_EQ(rig_.PuntedToPort(1).size(), 1u);
  ASSERT_TRUE(path.RemoveIpv6Route(kClient6, 128).ok());
  EXPECT_TRUE(Reaches(kClient6));
  ASSERT_TRUE(path.Remove(path.List()[0].spec.handle).ok());
  EXPECT_FALSE(Reaches(kClient6));
  EXPECT_EQ(rig_.Drops("blackhole"), 1u);
}

TEST_F(Ipv6Test, OverlapsWithAnotherCallAreRefused) {
  const auto expect = [this](const CallSpec& spec, const char* name) {
    const absl::Status status = rig_.datapath().Upsert(spec).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists) << status;
    EXPECT_NE(status.message().find(name), absl::string_view::npos) << status;
    EXPECT_EQ(rig_.datapath().List().size(), 1u);
  };
  CallSpec other = CallRig::Spec2();
  other.ipv6 = {true, kInterfaceId, Prefix(kPrefix6, 64)};
  expect(other, "2001:db8:1:7::/64");
  other.ipv6.prefix = Prefix(kBehind6 + Ip6(1, 0), 64);
  expect(other, "2001:db8:2:100::/56");
  other.ipv6.prefix = Prefix(kPrefix6 + Ip6(1, 0), 64);
  other.routes = {Prefix(kPrefix6 - Ip6(1, 0), 63), Prefix(kClients6, 48)};
  expect(other, "2001:db8:1:7::/64");
  other.routes = {Prefix(kClient6, 128)};
  expect(other, "2001:db8:1:7::/64");
  EXPECT_FALSE(Reaches(kPrefix6 + Ip6(1, 9)));
  other.routes.clear();
  rig_.Program(other);
  rig_.ReceiveIpv4(1, MakeIpv4({kServer, kClient2}, Bytes(8)));
  rig_.Run();
  EXPECT_EQ(rig_.Sent(0).size(), 1u);
  EXPECT_TRUE(Reaches(kPrefix6 + Ip6(1, 9)));
}

TEST_F(Ipv6Test, BadValuesNameTheField) {
  const auto expect = [this](const CallSpec& spec, const char* field) {
    const absl::Status status = rig_.datapath().Upsert(spec).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(std::string(status.message()).rfind(field, 0), 0u) << status;
  };
  CallSpec spec = Spec();
  spec.ipv6.interface_id = 0;
  expect(spec, "ipv6.interface_id");
  spec = Spec();
  spec.ipv6.prefix.len = 63;
  expect(spec, "ipv6.prefix.address");
  spec.ipv6.prefix.len = 129;
  expect(spec, "ipv6.prefix.len");
  spec.ipv6.prefix = Prefix(kRouter6, 128);
  expect(spec, "ipv6.prefix.address");
  spec = Spec();
  spec.ipv6.enabled = false;
  expect(spec, "routes[0]");
}

TEST(PrefixTableTest, FindsAmongManyAndForgets) {
  PrefixTable table;
  EXPECT_EQ(table.Find(kPrefix6), PrefixTable::kNone);
  constexpr uint32_t kNum = 200000;
  for (int round = 0; round < 3; ++round) {
    for (uint32_t i = 0; i < kNum; ++i) {
      ASSERT_TRUE(table.Set(kPrefix6 + Ip6(i, 0), i).ok());
    }
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < kNum; ++i) {
      wrong += table.Find(kPrefix6 + Ip6(i, 99)) == i ? 0 : 1;
      if (i % 3 != 0) table.Erase(kPrefix6 + Ip6(i, 0));
    }
    for (uint32_t i = 0; i < kNum; ++i) {
      wrong += table.Find(kPrefix6 + Ip6(i, 0)) == (i % 3 == 0 ? i : PrefixTable::kNone) ? 0 : 1;
      table.Erase(kPrefix6 + Ip6(i, 0));
    }
    EXPECT_EQ(wrong, 0u);
  }
  Ipv6Number first;
  EXPECT_FALSE(table.First(0, ~Ipv6Number{0}, &first));
}

}  // namespace
}  // namespace culvert::dataplane
