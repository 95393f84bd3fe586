#include "controlplane/ipv6/discovery.h"

#include <gtest/gtest.h>

#include "controlplane/ipv6/test_packets.h"

namespace culvert::ipv6::testing {
namespace {

const Address kClient = Ip6("fe80::a1d8:a5e3:6a7:55b0");

LinkPacket Packet(const Bytes& payload, const Address& source = kClient,
                  const Address& destination = AllRouters()) {
  LinkPacket packet;
  packet.source = source;
  packet.destination = destination;
  packet.hop_limit = 255;
  packet.protocol = wire::ip6::kIcmp;
  packet.payload = payload;
  return packet;
}

TEST(LinkPacketTest, AddressesAndGroups) {
  EXPECT_EQ(LinkLocal(0xa1d8'a5e3'06a7'55b0), kClient);
  EXPECT_EQ(AllNodes(), Ip6("ff02::1"));
  EXPECT_EQ(AllRouters(), Ip6("ff02::2"));
  EXPECT_EQ(AllDhcpServers(), Ip6("ff02::1:2"));
  EXPECT_EQ(SolicitedNode(kClient), Ip6("ff02::1:ffa7:55b0"));
}

// A router solicitation as Linux sends it on a PPP link.
TEST(LinkPacketTest, IcmpBothWays) {
  const Bytes packet = Hex(
      "6000 0000 0008 3aff fe80 0000 0000 0000 a1d8 a5e3 06a7 55b0 ff02 0000 0000 0000 0000 0000"
      "0000 0002 8500 7e9c 0000 0000");
  Bytes good = packet;
  wire::StoreBe16(&good[42], 0);
  wire::StoreBe16(&good[42], wire::ip6::Checksum(kClient, AllRouters(), wire::ip6::kIcmp,
                                                 wire::Octets(good).subspan(40)));
  const auto parsed = ParseLinkPacket(good);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->source, kClient);
  EXPECT_EQ(parsed->destination, AllRouters());
  EXPECT_EQ(parsed->hop_limit, 255);
  EXPECT_TRUE(CheckRouterSolicitation(*parsed));
  EXPECT_EQ(EmitIcmp(kClient, AllRouters(), Hex("8500 0000 0000 0000")), good);
  for (size_t len = 0; len < good.size(); ++len) {
    EXPECT_FALSE(ParseLinkPacket(wire::Octets(good).first(len))) << len;
  }
  good.back() ^= 1;
  EXPECT_EQ(ParseLinkPacket(good).error(), LinkError::kBadChecksum);
  good[6] = wire::ip6::kTcp;
  EXPECT_EQ(ParseLinkPacket(good).error(), LinkError::kBadProtocol);
}

TEST(LinkPacketTest, UdpBothWays) {
  const Bytes packet = Udp(kClient, AllDhcpServers(), Hex("0b 123456"));
  const auto parsed = ParseLinkPacket(packet);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->source_port, kDhcpClientPort);
  EXPECT_EQ(parsed->destination_port, kDhcpServerPort);
  EXPECT_EQ(HexOf(parsed->payload), "0b123456");
  for (size_t len = 0; len < packet.size(); ++len) {
    EXPECT_FALSE(ParseLinkPacket(wire::Octets(packet).first(len))) << len;
  }
  Bytes bad = packet;
  bad[45] = 7;  // length below the header
  EXPECT_EQ(ParseLinkPacket(bad).error(), LinkError::kTruncated);
  bad[45] = 13;  // beyond the packet
  EXPECT_EQ(ParseLinkPacket(bad).error(), LinkError::kTruncated);
  bad = packet;
  bad[46] = bad[47] = 0;  // no checksum: not in IPv6
  EXPECT_EQ(ParseLinkPacket(bad).error(), LinkError::kBadChecksum);
}

TEST(DiscoveryTest, RouterSolicitations) {
  const Bytes plain = Hex("8500 0000 0000 0000");
  const Bytes with_link_address = plain + Hex("0101 020304050607");
  const auto join = [](const Bytes& payload, const Address& source = kClient) {
    return CheckRouterSolicitation(Packet(payload, source));
  };
  EXPECT_TRUE(join(plain));
  EXPECT_TRUE(join(with_link_address));
  EXPECT_TRUE(join(plain, Address{}));
  EXPECT_EQ(join(with_link_address, Address{}).error(), DiscoveryError::kBadAddress);
  for (size_t len = 1; len < plain.size(); ++len) {
    EXPECT_EQ(join(Bytes(plain.begin(), plain.begin() + static_cast<long>(len))).error(),
              DiscoveryError::kTruncated);
  }
  for (size_t len = plain.size() + 1; len < with_link_address.size(); ++len) {
    EXPECT_EQ(
        join(Bytes(with_link_address.begin(), with_link_address.begin() + static_cast<long>(len)))
            .error(),
        DiscoveryError::kBadOption);
  }
  EXPECT_EQ(join(Hex("8501 0000 0000 0000")).error(), DiscoveryError::kBadCode);
  EXPECT_EQ(join(plain + Hex("0100")).error(), DiscoveryError::kBadOption);
  LinkPacket forwarded = Packet(plain);
  forwarded.hop_limit = 254;
  EXPECT_EQ(CheckRouterSolicitation(forwarded).error(), DiscoveryError::kForwarded);
}

TEST(DiscoveryTest, NeighbourSolicitations) {
  const Bytes message = Hex("8700 0000 0000 0000 fe80 0000 0000 0000 0000 0000 0000 0001");
  const Address target = Ip6("fe80::1");
  const auto parsed = ParseNeighbourSolicitation(Packet(message, kClient, target));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, target);
  EXPECT_TRUE(ParseNeighbourSolicitation(Packet(message, Address{}, SolicitedNode(target))));
  EXPECT_EQ(ParseNeighbourSolicitation(Packet(message, Address{}, AllNodes())).error(),
            DiscoveryError::kBadAddress);
  for (size_t len = 1; len < message.size(); ++len) {
    const Bytes part(message.begin(), message.begin() + static_cast<long>(len));
    EXPECT_EQ(ParseNeighbourSolicitation(Packet(part)).error(), DiscoveryError::kTruncated);
  }
  Bytes group = message;
  group[8] = 0xff;
  EXPECT_EQ(ParseNeighbourSolicitation(Packet(group)).error(), DiscoveryError::kBadAddress);
}

TEST(DiscoveryTest, Advertisements) {
  RouterAdvertisement advertisement;
  advertisement.router_lifetime_s = 1800;
  EXPECT_EQ(HexOf(Emit(advertisement)), HexOf(Hex("8600 0000 40 00 0708 00000000 00000000")));
  advertisement.managed = advertisement.other = true;
  advertisement.mtu = 1396;
  advertisement.prefix = {.prefix = Prefix("2001:db8:1:7::/64"),
                          .on_link = true,
                          .autonomous = true,
                          .valid_s = 7200,
                          .preferred_s = 3600};
  advertisement.dns = {Ip6("2001:db8::53"), Ip6("2001:db8::54")};
  advertisement.dns_lifetime_s = 1800;
  EXPECT_EQ(HexOf(Emit(advertisement)),
            HexOf(Hex("8600 0000 40 c0 0708 00000000 00000000"
                      "0501 0000 00000574"
                      "0304 40 c0 00001c20 00000e10 00000000 20010db8 00010007 00000000 00000000"
                      "1905 0000 00000708 20010db8 00000000 00000000 00000053"
                      "20010db8 00000000 00000000 00000054")));
  advertisement.dns.assign(20, Ip6("2001:db8::53"));
  EXPECT_EQ(Emit(advertisement).size(), 16u + 8 + 32 + 8 + 8 * 16);
  EXPECT_EQ(HexOf(EmitNeighbourAdvertisement(Ip6("fe80::1"), true)),
            HexOf(Hex("8800 0000 e0000000 fe80 0000 0000 0000 0000 0000 0000 0001")));
  EXPECT_EQ(HexOf(EmitNeighbourAdvertisement(Ip6("fe80::1"), false)).substr(8, 8), "a0000000");
}

}  // namespace
}  // namespace culvert::ipv6::testing
