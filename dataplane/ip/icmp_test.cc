// What senders are told, and what is cut to fit, on the way through the workers.
#include "proto/wire/ip/icmp.h"

#include <gtest/gtest.h>

#include <chrono>

#include "dataplane/rig/call_rig.h"

namespace culvert::dataplane {
namespace {

namespace icmp = wire::icmp;

const Bytes kIpv4Frame = Hex("ff03 0021");
constexpr uint16_t kDontFragment = 0x4000;

Bytes Udp(uint32_t source, uint32_t destination, size_t total_len, uint16_t fragment = 0,
          uint8_t ttl = 64) {
  Bytes payload(total_len - 20);
  for (size_t i = 0; i < payload.size(); ++i) {
    payload[i] = static_cast<uint8_t>(i * 7 + i / 256);
  }
  return MakeIpv4({source, destination, 17, ttl, 0x77, fragment}, payload);
}

class IcmpTest : public ::testing::Test {
 protected:
  void FromClient(const Bytes& packet) { rig_.Upstream(kIpv4Frame + packet); }
  // ToClient gives what has left to the client, out of the tunnel.
  std::vector<Bytes> ToClient() {
    rig_.Run();
    std::vector<Bytes> packets;
    for (const Bytes& frame : rig_.Sent(0)) {
      const Bytes ppp = ParseTunnel(frame).ppp;
      if (ppp.empty()) {
        continue;  // an acknowledgement, on a slow machine
      }
      EXPECT_EQ(Bytes(ppp.begin(), ppp.begin() + 4), kIpv4Frame);
      packets.emplace_back(ppp.begin() + 4, ppp.end());
    }
    return packets;
  }
  std::vector<Bytes> ToServer() {
    rig_.Run();
    std::vector<Bytes> packets;
    for (const Bytes& frame : rig_.Sent(1)) {
      packets.push_back(WithoutEthernet(frame));
    }
    return packets;
  }
  // ExpectError: the only one of `packets` is an error about `about`.
  static void ExpectError(const std::vector<Bytes>& packets, const icmp::Message& message,
                          uint32_t source, uint32_t destination, Bytes about) {
    ASSERT_EQ(packets.size(), 1u);
    const auto ip = wire::ip::ParseIpv4(packets[0]);
    ASSERT_TRUE(ip.has_value());
    EXPECT_EQ(ip->total_len, packets[0].size());
    EXPECT_EQ(ip->source, source);
    EXPECT_EQ(ip->destination, destination);
    EXPECT_EQ(ip->protocol, 1);
    EXPECT_EQ(ip->ttl, 64);
    EXPECT_EQ(ip->tos, 0xc0);
    const auto quoted = icmp::Parse(wire::Octets(packets[0]).subspan(20));
    ASSERT_TRUE(quoted.has_value());
    EXPECT_EQ(quoted->message, message);
    about.resize(std::min<size_t>(about.size(), 548));
    EXPECT_EQ(Bytes(packets[0].begin() + 28, packets[0].end()), about);
  }
  // Together puts fragments in order together; they are checked.
  static Bytes Together(const std::vector<Bytes>& fragments, size_t mtu) {
    Bytes payload;
    for (size_t i = 0; i < fragments.size(); ++i) {
      const auto ip = wire::ip::ParseIpv4(fragments[i]);
      EXPECT_TRUE(ip.has_value());
      EXPECT_EQ(ip->total_len, fragments[i].size());
      EXPECT_LE(fragments[i].size(), mtu);
      EXPECT_EQ((ip->fragment & 0x1fff) * 8u, payload.size());
      EXPECT_EQ((ip->fragment & 0x2000) != 0, i + 1 < fragments.size());
      payload = std::move(payload) + Bytes(fragments[i].begin() + 20, fragments[i].end());
    }
    return payload;
  }

  CallRig rig_;
  const uint64_t handle_ = rig_.Program(CallRig::Spec());
};

TEST_F(IcmpTest, TimeExceededBothWays) {
  for (const uint8_t ttl : {0, 1}) {
    const Bytes up = Udp(kClient, kServer, 700, 0, ttl);
    FromClient(up);
    ExpectError(ToClient(), icmp::kTimeExceeded, kGateway, kClient, up);
    const Bytes down = Udp(kServer, kClient, 60, 0, ttl);
    rig_.ReceiveIpv4(1, down);
    ExpectError(ToServer(), icmp::kTimeExceeded, kEgress, kServer, down);
  }
  EXPECT_EQ(rig_.Drops("ttl_exceeded"), 4u);
  EXPECT_EQ(rig_.TotalDrops(), 4u);
  EXPECT_EQ(rig_.datapath().WorkerCounters()[0].icmp_errors, 4u);
}

TEST_F(IcmpTest, FragmentationNeeded) {
  rig_.ReceiveIpv4(1, Udp(kServer, kClient, 1460, kDontFragment));
  EXPECT_EQ(ToClient().size(), 1u);
  const Bytes packet = Udp(kServer, kClient, 1461, kDontFragment);
  rig_.ReceiveIpv4(1, packet);
  ExpectError(ToServer(), icmp::FragmentationNeeded(1460), kEgress, kServer, WithTtl(packet, 63));
  EXPECT_TRUE(ToClient().empty());
  EXPECT_EQ(rig_.Drops("inner_too_big"), 1u);
  EXPECT_EQ(rig_.datapath().CallCounters()[0].second.downstream_drops, 1u);
  // MPPE takes four octets, a peer with MRU 1400 has 1396 of inner packet.
  CallSpec spec = CallRig::Spec();
  spec.send.emplace();
  spec.send->bits = 128;
  rig_.Program(spec);
  rig_.ReceiveIpv4(1, Udp(kServer, kClient, 1456, kDontFragment));
  rig_.Run();
  EXPECT_EQ(rig_.Sent(0).size(), 1u);
  rig_.ReceiveIpv4(1, Udp(kServer, kClient, 1457, kDontFragment));
  ExpectError(ToServer(), icmp::FragmentationNeeded(1456), kEgress, kServer,
              WithTtl(Udp(kServer, kClient, 1457, kDontFragment), 63));
  spec.peer_mru = 1400;
  rig_.Program(spec);
  rig_.ReceiveIpv4(1, packet);
  ExpectError(ToServer(), icmp::FragmentationNeeded(1396), kEgress, kServer, WithTtl(packet, 63));
}

TEST_F(IcmpTest, InnerPacketsAreCutToFit) {
  CallSpec spec = CallRig::Spec();
  spec.mtu = 600;
  rig_.Program(spec);
  const Bytes packet = Udp(kServer, kClient, 1500);
  rig_.ReceiveIpv4(1, packet);
  rig_.ReceiveIpv4(1, Udp(kServer, kClient, 100));
  rig_.Run();
  std::vector<Bytes> fragments;
  const auto sent = rig_.Sent(0);
  ASSERT_EQ(sent.size(), 4u);
  for (uint32_t i = 0; i < 4; ++i) {
    const TunnelPacket tunnel = ParseTunnel(sent[i]);
    EXPECT_EQ(tunnel.gre.sequence, i);  // in order, before the packet behind them
    fragments.emplace_back(tunnel.ppp.begin() + 4, tunnel.ppp.end());
    EXPECT_EQ(fragments.back()[8], 63);  // TTL, taken once
  }
  EXPECT_EQ(fragments.back(), WithTtl(Udp(kServer, kClient, 100), 63));
  fragments.pop_back();
  EXPECT_EQ(Together(fragments, 600), Bytes(packet.begin() + 20, packet.end()));
  EXPECT_EQ(rig_.datapath().CallCounters()[0].second.downstream_packets, 4u);
  EXPECT_EQ(rig_.TotalDrops(), 0u);
}

TEST_F(IcmpTest, FragmentsAreEncryptedOneByOne) {
  CallSpec spec = CallRig::Spec();
  spec.require_encryption = true;
  spec.send.emplace();
  spec.send->bits = 128;
  rig_.Program(spec);
  for (int i = 0; i < 40; ++i) {
    rig_.ReceiveIpv4(1, Udp(kServer, kClient, 1500));
  }
  rig_.Run();
  const auto sent = rig_.Sent(0);
  ASSERT_EQ(sent.size(), 80u);
  for (uint32_t i = 0; i < 80; ++i) {
    const TunnelPacket tunnel = ParseTunnel(sent[i]);
    EXPECT_EQ(tunnel.gre.sequence, i);
    EXPECT_EQ(wire::LoadBe16(&tunnel.ppp[2]), 0x00fd);
    EXPECT_EQ(wire::LoadBe16(&tunnel.ppp[4]) & 0x0fff, i);  // coherency count
    EXPECT_LE(tunnel.outer.size(), 1500u);
  }
  EXPECT_EQ(rig_.TotalDrops(), 0u);
}

TEST_F(IcmpTest, TooManyFragments) {
  CallSpec spec = CallRig::Spec();
  spec.mtu = 68;
  rig_.Program(spec);
  rig_.ReceiveIpv4(1, Udp(kServer, kClient, 20 + 48 * 40));
  EXPECT_EQ(ToClient().size(), 40u);
  // Options that every fragment carries leave 8 octets: 64 of them pass, 65 do not.
  const Bytes options = Hex("9428") + Bytes(38);
  rig_.ReceiveIpv4(1, MakeIpv4({kServer, kClient, 17, 64, 1, 0, options}, Bytes(64 * 8)));
  EXPECT_EQ(ToClient().size(), 64u);
  rig_.ReceiveIpv4(1, MakeIpv4({kServer, kClient, 17, 64, 1, 0, options}, Bytes(65 * 8)));
  EXPECT_TRUE(ToClient().empty());
  EXPECT_EQ(rig_.Drops("inner_too_big"), 1u);
}

TEST_F(IcmpTest, Unreachable) {
  const Bytes nobody = Udp(kClient, Ip(10, 77, 0, 200), 60);
  FromClient(nobody);
  ExpectError(ToClient(), icmp::kHostUnreachable, kGateway, kClient, nobody);
  ASSERT_TRUE(rig_.datapath().RemoveRoute(0, 0).ok());
  const Bytes nowhere = Udp(kClient, kServer, 60);
  FromClient(nowhere);
  ExpectError(ToClient(), icmp::kNetworkUnreachable, kGateway, kClient, nowhere);
  EXPECT_EQ(rig_.Drops("no_client"), 1u);
  EXPECT_EQ(rig_.Drops("no_route"), 1u);
  // From the Internet, there being no way back: silence.
  rig_.ReceiveIpv4(1, Udp(kServer, Ip(10, 77, 0, 200), 60));
  EXPECT_TRUE(ToServer().empty());
  // A route that says so discards in silence.
  ASSERT_TRUE(rig_.datapath().SetRoute(0, 0, {RouteTarget::Kind::kBlackhole, 0, 0}).ok());
  FromClient(nowhere);
  EXPECT_TRUE(ToClient().empty());
}

TEST_F(IcmpTest, SilenceWhereAnErrorWouldHarm) {
  // About an ICMP error, and a type nobody knows.
  for (const uint8_t type : {3, 4, 5, 11, 12, 1, 99}) {
    Bytes error(36);
    error[0] = type;
    FromClient(MakeIpv4({kClient, kServer, 1, 1}, error));
  }
  // About fragments but the first, whatever the reason.
  FromClient(Udp(kClient, kServer, 60, 0x2001, 1));
  FromClient(Udp(kClient, kServer, 60, 0x0001, 1));
  EXPECT_TRUE(ToClient().empty());
  EXPECT_EQ(rig_.Drops("ttl_exceeded"), 9u);
  // About packets to groups, all, or from nobody in particular.
  for (const uint32_t destination : {Ip(224, 0, 0, 5), Ip(255, 255, 255, 255), Ip(127, 0, 0, 1)}) {
    FromClient(Udp(kClient, destination, 60, 0, 1));
  }
  for (const uint32_t source : {Ip(0, 0, 0, 0), Ip(127, 0, 0, 1), Ip(224, 0, 0, 1),
                                Ip(255, 255, 255, 255), Ip(240, 0, 0, 1)}) {
    rig_.ReceiveIpv4(1, Udp(source, Ip(10, 77, 0, 200), 60, 0, 1));
    rig_.ReceiveIpv4(1, Udp(source, kClient, 1461, kDontFragment));
  }
  EXPECT_TRUE(ToClient().empty());
  EXPECT_TRUE(ToServer().empty());
  // A question may be answered so.
  Bytes echo(8);
  echo[0] = 8;
  FromClient(MakeIpv4({kClient, kServer, 1, 1}, echo));
  EXPECT_EQ(ToClient().size(), 1u);
  FromClient(Udp(kClient, kServer, 60, 0x2000, 1));  // nor may the first fragment not
  EXPECT_EQ(ToClient().size(), 1u);
}

TEST_F(IcmpTest, NoErrorWithoutAnAddressOfOurs) {
  rig_.datapath().own_addresses().SetIpv4(OwnAddresses::kClients, 0);
  FromClient(Udp(kClient, kServer, 60, 0, 1));
  EXPECT_TRUE(ToClient().empty());
  EXPECT_EQ(rig_.Drops("ttl_exceeded"), 1u);
}

TEST_F(IcmpTest, OutOfBuffers) {
  CallSpec spec = CallRig::Spec();
  spec.mtu = 600;
  rig_.Program(spec);
  FromClient(Udp(kClient, kServer, 60, 0, 1));
  rig_.ReceiveIpv4(1, Udp(kServer, kClient, 1500));
  std::vector<rte_mbuf*> all;
  while (rte_mbuf* mbuf = rte_pktmbuf_alloc(rig_.mbufs())) {
    all.push_back(mbuf);
  }
  rig_.Run();
  EXPECT_EQ(rig_.Drops("no_buffer"), 2u);
  rte_pktmbuf_free_bulk(all.data(), static_cast<unsigned>(all.size()));
  EXPECT_TRUE(ToClient().empty());
}

TEST(IcmpLimitTest, EachCallAndTheWorker) {
  Rig::Options options;
  options.icmp_errors = {.per_second = 30, .per_call_per_second = 20};
  CallRig rig(options);
  rig.Program(CallRig::Spec());
  rig.Program(CallRig::Spec2());
  const Bytes ttl = Udp(kClient, kServer, 60, 0, 1);
  // A bucket is full when it begins, and the clock runs.
  const auto start = std::chrono::steady_clock::now();
  const auto most = [start](double burst, double per_second) {
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    return burst + per_second * elapsed.count() + 1;
  };
  for (int i = 0; i < 500; ++i) {
    rig.Upstream(kIpv4Frame + ttl);
  }
  rig.Run();
  size_t first = 0;
  for (const Bytes& frame : rig.Sent(0)) {
    first += ParseTunnel(frame).ppp.empty() ? 0 : 1;  // else an acknowledgement
  }
  EXPECT_GE(first, 20u);
  EXPECT_LE(static_cast<double>(first), most(20, 20));
  for (int i = 0; i < 500; ++i) {
    rig.ReceiveIpv4(1, Udp(kServer, kClient2, 60, 0, 1));
  }
  rig.Run();
  const size_t second = rig.Sent(1).size();
  EXPECT_GE(first + second, 30u);
  EXPECT_LE(static_cast<double>(first + second), most(30, 30));
  EXPECT_EQ(rig.Drops("ttl_exceeded"), 1000u);
  const WorkerTotals totals = rig.datapath().WorkerCounters()[0];
  EXPECT_EQ(totals.icmp_errors, first + second);
  EXPECT_EQ(totals.icmp_errors + totals.icmp_suppressed, 1000u);
}

TEST_F(IcmpTest, EgressTooBig) {
  const Bytes packet = Udp(kClient, kServer, 1501, kDontFragment);
  FromClient(packet);
  ExpectError(ToClient(), icmp::FragmentationNeeded(1500), kGateway, kClient, WithTtl(packet, 63));
  EXPECT_EQ(rig_.Drops("egress_too_big"), 1u);
  FromClient(Udp(kClient, kServer, 1501));
  const auto fragments = ToServer();
  ASSERT_EQ(fragments.size(), 2u);
  const Bytes whole = Udp(kClient, kServer, 1501);
  EXPECT_EQ(Together(fragments, 1500), Bytes(whole.begin() + 20, whole.end()));
  EXPECT_EQ(rig_.TotalDrops(), 1u);
}

TEST_F(IcmpTest, OuterTooBigIsCutAsALastResort) {
  // Only the control plane can ask for that.
  const Bytes frame = Hex("c021") + Bytes(1600, 0x55);
  ASSERT_TRUE(rig_.datapath().SendFrame(handle_, frame));
  rig_.Run();
  std::vector<Bytes> fragments;
  for (const Bytes& sent : rig_.Sent(0)) {
    fragments.push_back(WithoutEthernet(sent));
  }
  ASSERT_EQ(fragments.size(), 2u);
  const Bytes gre = Together(fragments, 1500);
  EXPECT_EQ(Bytes(gre.begin() + 12, gre.end()), Hex("ff03") + frame);
  CallSpec spec = CallRig::Spec();
  spec.outer.dont_fragment = true;
  rig_.Program(spec);
  ASSERT_TRUE(rig_.datapath().SendFrame(handle_, frame));
  rig_.Run();
  EXPECT_TRUE(rig_.Sent(0).empty());
  EXPECT_EQ(rig_.Drops("egress_too_big"), 1u);
}

TEST_F(IcmpTest, OuterHeaderPolicy) {
  Ipv4Spec inner{kServer, kClient};
  Bytes packet = MakeIpv4(inner, Bytes(40));
  packet[1] = 0xb9;  // EF, ECT(1)
  packet = WithTtl(packet, 64);
  CallSpec spec = CallRig::Spec();
  const std::tuple<OuterSpec, uint8_t, uint16_t> cases[] = {
      {{false, false, 0}, 0x00, 0},
      {{true, false, 10}, 0x28, kDontFragment},
      {{false, true, 10}, 0xb8, 0},
  };
  for (const auto& [outer, tos, fragment] : cases) {
    spec.outer = outer;
    rig_.Program(spec);
    rig_.ReceiveIpv4(1, packet);
    rig_.Run();
    const auto sent = rig_.Sent(0);
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(ParseTunnel(sent[0]).ip.tos, tos);
    EXPECT_EQ(ParseTunnel(sent[0]).ip.fragment, fragment);
  }
}

}  // namespace
}  // namespace culvert::dataplane
