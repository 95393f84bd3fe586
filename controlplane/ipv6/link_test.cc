#include "controlplane/ipv6/link.h"

#include <gtest/gtest.h>

#include "controlplane/ipv6/dhcp_message.h"
#include "controlplane/ipv6/test_packets.h"

namespace culvert::ipv6::testing {
namespace {

const Address kGateway = Ip6("fe80::1");
const Address kClient = Ip6("fe80::5");
const Bytes kClientDuid = Hex("00030001020304050607");

class LinkTest : public ::testing::Test {
 protected:
  LinkTest() {
    settings_.advertisement_interval_s = 600;
    settings_.preferred_lifetime_s = 3600;
    settings_.valid_lifetime_s = 7200;
    settings_.server_duid = Hex("000400112233");
    settings_.mtu = 1396;
    assignment_ = {.prefix = Prefix("2001:db8:1:7::/64"),
                   .delegated_prefix = Prefix("2001:db8:ff00::/56"),
                   .dns = {Ip6("2001:db8::53")}};
  }
  Link& link() {
    if (!link_) {
      link_ = std::make_unique<Link>(std::make_shared<LinkSettings>(settings_), assignment_, 1, 5,
                                     &counters_, now_ms_);
    }
    return *link_;
  }
  // Say gives the answer, empty: none.
  Bytes Say(const Bytes& packet) {
    const Link::Packets answers = link().OnPacket(packet, now_ms_);
    EXPECT_LE(answers.size(), 1u);
    return answers.empty() ? Bytes() : answers[0];
  }
  Bytes Icmp(const Bytes& message, const Address& source = kClient,
             const Address& destination = AllRouters()) {
    return Say(EmitIcmp(source, destination, message));
  }
  DhcpMessage Dhcp(DhcpType type, bool with_prefix = true) {
    DhcpMessage message;
    message.type = type;
    message.client_id = kClientDuid;
    if (type != DhcpType::kSolicit) {
      message.server_id = settings_.server_duid;
    }
    if (with_prefix) {
      message.prefixes.emplace_back().leases.push_back({*assignment_.delegated_prefix, 0, 0});
    }
    const Bytes answer = Say(Udp(kClient, AllDhcpServers(), EmitDhcp(message)));
    const auto packet = ParseLinkPacket(answer);
    EXPECT_TRUE(packet);
    EXPECT_EQ(packet->source, kGateway);
    EXPECT_EQ(packet->destination, kClient);
    EXPECT_EQ(packet->destination_port, kDhcpClientPort);
    return *ParseDhcp(packet->payload);
  }

  LinkSettings settings_;
  LinkAssignment assignment_;
  LinkCounters counters_;
  uint64_t now_ms_ = 1'000'000;
  std::unique_ptr<Link> link_;
};

TEST_F(LinkTest, AdvertisesFromTheStartAndThenNowAndThen) {
  std::vector<uint64_t> times;
  while (times.size() < 5) {
    now_ms_ = link().deadline_ms();
    const Link::Packets packets = link().OnTimer(now_ms_);
    ASSERT_EQ(packets.size(), 1u);
    const auto parsed = ParseLinkPacket(packets[0]);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->source, kGateway);
    EXPECT_EQ(parsed->destination, AllNodes());
    EXPECT_EQ(parsed->hop_limit, 255);
    times.push_back((now_ms_ - 1'000'000) / 1000);
  }
  EXPECT_EQ(times, (std::vector<uint64_t>{0, 16, 32, 632, 1232}));
  EXPECT_EQ(counters_.advertisements, 5u);
}

TEST_F(LinkTest, SolicitationsAreAnswered) {
  const Bytes answer = Icmp(Hex("8500 0000 0000 0000"));
  const auto parsed = ParseLinkPacket(answer);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->destination, kClient);
  Bytes message(parsed->payload.begin(), parsed->payload.end());
  message[2] = message[3] = 0;
  EXPECT_EQ(HexOf(message),
            HexOf(Hex("8600 0000 40 40 0708 00000000 00000000 0501 0000 00000574"
                      "0304 40 c0 00001c20 00000e10 00000000 20010db8 00010007 00000000 00000000"
                      "1903 0000 00000708 20010db8 00000000 00000000 00000053")));
  // A second one at once has to wait for the next to all.
  (void)link().OnTimer(now_ms_);
  EXPECT_TRUE(Icmp(Hex("8500 0000 0000 0000")).empty());
  EXPECT_EQ(link().deadline_ms(), now_ms_ + 1000);
  now_ms_ += 1000;
  EXPECT_EQ(link().OnTimer(now_ms_).size(), 1u);
  const auto to_all = ParseLinkPacket(Icmp(Hex("8500 0000 0000 0000"), Address{}));
  ASSERT_TRUE(to_all);
  EXPECT_EQ(to_all->destination, AllNodes());
}

TEST_F(LinkTest, FlagsFollowTheAddressing) {
  const auto flags = [&](Addressing addressing, const char* prefix) {
    settings_.addressing = addressing;
    assignment_.prefix = Prefix(prefix);
    link_.reset();
    const Bytes packet = link().OnTimer(now_ms_).at(0);
    return HexOf(wire::Octets(packet).subspan(45, 1)) + " " +
           HexOf(wire::Octets(packet).subspan(67, 1));
  };
  EXPECT_EQ(flags(Addressing::kSlaac, "2001:db8::/64"), "40 c0");
  EXPECT_EQ(flags(Addressing::kDhcp, "2001:db8::/64"), "c0 80");
  EXPECT_EQ(flags(Addressing::kBoth, "2001:db8::/64"), "c0 c0");
  EXPECT_EQ(flags(Addressing::kSlaac, "2001:db8::/96"), "c0 80");  // too long for it
}

TEST_F(LinkTest, WithoutPrefixAndServersThereIsARouterOnly) {
  assignment_ = {};
  settings_.mtu.reset();
  const Bytes packet = link().OnTimer(now_ms_).at(0);
  EXPECT_EQ(packet.size(), 40u + 16);
  EXPECT_EQ(packet[45], 0);
}

TEST_F(LinkTest, NeighbourSolicitations) {
  const Bytes for_us = Hex("8700 0000 0000 0000 fe80 0000 0000 0000 0000 0000 0000 0001");
  const Bytes said = Icmp(for_us, kClient, SolicitedNode(kGateway));
  const auto answer = ParseLinkPacket(said);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->destination, kClient);
  EXPECT_EQ(answer->payload[4], 0xe0);
  // A client that wants our address for itself hears of it.
  const Bytes to_all = Icmp(for_us, Address{}, SolicitedNode(kGateway));
  const auto taken = ParseLinkPacket(to_all);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->destination, AllNodes());
  EXPECT_EQ(taken->payload[4], 0xa0);
  const Bytes its_own = Hex("8700 0000 0000 0000 fe80 0000 0000 0000 0000 0000 0000 0005");
  EXPECT_TRUE(Icmp(its_own, Address{}, SolicitedNode(kClient)).empty());
}

TEST_F(LinkTest, Echo) {
  const Bytes said = Icmp(Hex("8000 0000 0001 0002 ab"), kClient, kGateway);
  const auto answer = ParseLinkPacket(said);
  ASSERT_TRUE(answer);
  EXPECT_EQ(HexOf(answer->payload.subspan(4)), "00010002ab");
  EXPECT_EQ(answer->payload[0], 129);
  EXPECT_TRUE(Icmp(Hex("8000 0000 0001 0002"), kClient, Ip6("fe80::2")).empty());
  EXPECT_TRUE(Icmp(Hex("8000 0000 0001 0002"), Address{}, kGateway).empty());
  EXPECT_TRUE(Icmp(Hex("8000 0000 0001"), kClient, kGateway).empty());
}

TEST_F(LinkTest, DelegatesUntilTheLeaseEnds) {
  EXPECT_EQ(Dhcp(DhcpType::kSolicit).type, DhcpType::kAdvertise);
  EXPECT_FALSE(link().delegates());
  EXPECT_EQ(Dhcp(DhcpType::kRequest).type, DhcpType::kReply);
  EXPECT_TRUE(link().delegates());
  now_ms_ += 7'000'000;
  EXPECT_EQ(Dhcp(DhcpType::kRenew).type, DhcpType::kReply);
  now_ms_ += 7'000'000;
  (void)link().OnTimer(now_ms_);
  EXPECT_TRUE(link().delegates());
  now_ms_ += 200'000;
  EXPECT_LE(link().deadline_ms(), now_ms_);
  (void)link().OnTimer(now_ms_);
  EXPECT_FALSE(link().delegates());
  (void)Dhcp(DhcpType::kRequest);
  EXPECT_TRUE(link().delegates());
  EXPECT_EQ(Dhcp(DhcpType::kRelease).status, DhcpStatus::kSuccess);
  EXPECT_FALSE(link().delegates());
}

TEST_F(LinkTest, WhatItDoesNotAnswerIsCounted) {
  EXPECT_TRUE(Say(Hex("60")).empty());
  EXPECT_TRUE(Icmp(Hex("8501 0000 0000 0000")).empty());
  EXPECT_TRUE(Icmp(Hex("8700 0000 0000 0000")).empty());
  EXPECT_TRUE(Say(Udp(kClient, AllDhcpServers(), Hex("01"))).empty());
  EXPECT_EQ(counters_.malformed, 4u);
  EXPECT_TRUE(Icmp(Hex("8800 0000 0000 0000")).empty());
  EXPECT_TRUE(Say(Udp(kClient, AllNodes(), Hex("0b000000"))).empty());
  EXPECT_TRUE(Say(Udp(Address{}, AllDhcpServers(), Hex("0b000000"))).empty());
  EXPECT_TRUE(Say(Udp(kClient, AllDhcpServers(), Hex("07000000"))).empty());
  Bytes elsewhere = Udp(kClient, AllDhcpServers(), Hex("0b000000"));
  elsewhere[43] += 1;
  elsewhere[46] -= 0;
  EXPECT_TRUE(Say(elsewhere).empty());  // its checksum is wrong now
  EXPECT_EQ(counters_.malformed, 5u);
  EXPECT_EQ(counters_.ignored, 4u);
}

}  // namespace
}  // namespace culvert::ipv6::testing
