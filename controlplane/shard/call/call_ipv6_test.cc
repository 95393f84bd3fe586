#include "controlplane/shard/call/call_ipv6.h"

#include <gtest/gtest.h>

#include "controlplane/ipv6/dhcp_message.h"
#include "controlplane/ipv6/test_packets.h"

namespace culvert {
namespace {

using ipv6::testing::Bytes;
using ipv6::testing::Hex;
using ipv6::testing::HexOf;
using ipv6::testing::Prefix;

class CallIpv6SideTest : public ::testing::Test {
 protected:
  CallIpv6SideTest() {
    auto settings = std::make_shared<ipv6::LinkSettings>();
    settings->server_duid = Hex("00040102");
    settings_ = settings;
    lease_.prefix = Prefix("2001:db8:1:7::/64");
    lease_.delegated_prefix = Prefix("2001:db8:ff00::/56");
    grants_.routes = {Prefix("2001:db8:aaaa::/48")};
  }
  void Up() {
    side_.Up({.gateway_id = 1, .client_id = 5}, settings_, lease_, grants_, &counters_, 1000);
  }
  CallIpv6::Frames Dhcp(ipv6::DhcpType type) {
    ipv6::DhcpMessage message;
    message.type = type;
    message.client_id = Hex("00030001");
    message.server_id = settings_->server_duid;
    message.prefixes.emplace_back().leases.push_back({*lease_.delegated_prefix, 0, 0});
    return side_.OnPacket(
        ipv6::testing::Udp(ipv6::LinkLocal(5), ipv6::AllDhcpServers(), ipv6::EmitDhcp(message)),
        1000);
  }
  dataplane::v1::CallConfig Filled(uint64_t interface_id = 5) {
    dataplane::v1::CallConfig config;
    side_.Fill(interface_id, lease_, grants_, &config);
    return config;
  }

  std::shared_ptr<const ipv6::LinkSettings> settings_;
  ipv6::LinkCounters counters_;
  Lease lease_;
  Ipv6Grants grants_;
  CallIpv6 side_;
};

TEST_F(CallIpv6SideTest, ProgramsWhatTheClientHas) {
  EXPECT_FALSE(Filled(0).has_ipv6());
  EXPECT_EQ(Filled(0).routes_size(), 0);
  Up();
  EXPECT_EQ(Filled().ipv6().interface_id(), 5u);
  EXPECT_EQ(Filled().ipv6().prefix().length(), 64u);
  ASSERT_EQ(Filled().routes_size(), 1);
  EXPECT_EQ(Filled().routes(0).length(), 48u);
  lease_.prefix.reset();
  EXPECT_FALSE(Filled().ipv6().has_prefix());
}

TEST_F(CallIpv6SideTest, TheDelegatedPrefixComesAndGoes) {
  Up();
  EXPECT_FALSE(side_.TakeChange());
  const CallIpv6::Frames frames = Dhcp(ipv6::DhcpType::kRequest);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(HexOf(wire::Octets(frames[0].data).first(3)), "005760");
  EXPECT_TRUE(side_.TakeChange());
  EXPECT_FALSE(side_.TakeChange());
  ASSERT_EQ(Filled().routes_size(), 2);
  EXPECT_EQ(Filled().routes(0).length(), 56u);
  EXPECT_EQ(Dhcp(ipv6::DhcpType::kRenew).size(), 1u);
  EXPECT_FALSE(side_.TakeChange());
  EXPECT_EQ(Dhcp(ipv6::DhcpType::kRelease).size(), 1u);
  EXPECT_TRUE(side_.TakeChange());
  EXPECT_EQ(Filled().routes_size(), 1);
  (void)Dhcp(ipv6::DhcpType::kRequest);
  side_.Down();
  EXPECT_FALSE(side_.delegates());
  EXPECT_FALSE(side_.deadline_ms());
  EXPECT_TRUE(Dhcp(ipv6::DhcpType::kRequest).empty());
}

// The data plane refuses a call of more routes than its contract has, and that would be its end.
TEST_F(CallIpv6SideTest, RoutesAreNotMoreThanTheDataPlaneTakes) {
  Up();
  (void)Dhcp(ipv6::DhcpType::kRequest);
  dataplane::v1::CallConfig config;
  for (int i = 0; i < 16; ++i) {
    config.add_routes()->set_length(24);  // Framed-Route
  }
  EXPECT_EQ(side_.Fill(5, lease_, grants_, &config), 2u);
  ASSERT_EQ(config.routes_size(), 16);
  EXPECT_EQ(config.routes(14).length(), 24u);
  EXPECT_EQ(config.routes(15).length(), 56u) << "what DHCPv6 has told the client must work";
  grants_.routes.assign(20, Prefix("2001:db8:aaaa::/48"));
  EXPECT_EQ(Filled().routes_size(), 16);
}

TEST_F(CallIpv6SideTest, AdvertisesAtOnce) {
  EXPECT_FALSE(side_.deadline_ms());
  EXPECT_TRUE(side_.OnTimer(1000).empty());
  Up();
  EXPECT_EQ(side_.deadline_ms(), 1000u);
  const CallIpv6::Frames frames = side_.OnTimer(1000);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].data[2 + 40], 134);
}

}  // namespace
}  // namespace culvert
