#include "proto/config/filter/filter_rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace culvert::config {
namespace {

using ::testing::HasSubstr;

FilterRule Parse(std::string_view text) {
  const auto rule = ParseFilterRule(text);
  EXPECT_TRUE(rule) << text << ": " << rule.error();
  return rule.value_or(FilterRule{});
}

std::string ErrorOf(std::string_view text) {
  const auto rule = ParseFilterRule(text);
  return rule ? "" : rule.error();
}

TEST(FilterRule, Full) {
  const FilterRule rule =
      Parse(" permit  in tcp\tfrom 192.0.2.0/24 1024-65535 to 2.3.4.5 80,443 setup ");
  EXPECT_TRUE(rule.permit && rule.in);
  EXPECT_EQ(rule.protocol, 6);
  ASSERT_TRUE(rule.source.address && rule.destination.address);
  EXPECT_EQ(std::get<Ipv4Prefix>(*rule.source.address).address, 0xc0000200);
  EXPECT_EQ(std::get<Ipv4Prefix>(*rule.source.address).length, 24);
  EXPECT_EQ(std::get<Ipv4Prefix>(*rule.destination.address).length, 32);
  ASSERT_EQ(rule.source.ports.size(), 1U);
  EXPECT_EQ(rule.source.ports[0].last, 65535);
  ASSERT_EQ(rule.destination.ports.size(), 2U);
  EXPECT_EQ(rule.destination.ports[1].first, 443);
  ASSERT_EQ(rule.flags.size(), 1U);
  EXPECT_TRUE(rule.flags[0].mask == 0x12 && rule.flags[0].flags == 0x02);
}

TEST(FilterRule, Plain) {
  const FilterRule rule = Parse("deny out ip from any to any");
  EXPECT_TRUE(!rule.permit && !rule.in && rule.protocol == 0);
  EXPECT_TRUE(!rule.source.address && !rule.destination.address);
  EXPECT_TRUE(rule.source.ports.empty() && rule.flags.empty() && rule.icmp_types.empty());
}

TEST(FilterRule, Ipv6) {
  const FilterRule rule = Parse("permit out udp from 2001:db8::/32 53 to assigned");
  EXPECT_EQ(std::get<Ipv6Prefix>(*rule.source.address).length, 32);
  EXPECT_FALSE(rule.destination.address);
  EXPECT_EQ(std::get<Ipv6Prefix>(*Parse("deny in 58 from any to ::1").destination.address).length,
            128);
}

TEST(FilterRule, Protocols) {
  for (const auto& [name, number] : {std::pair{"ip", 0}, {"icmp", 1}, {"gre", 47}, {"255", 255}}) {
    EXPECT_EQ(Parse(std::string("deny in ") + name + " from any to any").protocol, number);
  }
}

TEST(FilterRule, Options) {
  EXPECT_EQ(Parse("deny in tcp from any to any established").flags.size(), 2U);
  const FilterRule flags = Parse("deny in tcp from any to any tcpflags syn,!ack,urg");
  EXPECT_TRUE(flags.flags[0].mask == 0x32 && flags.flags[0].flags == 0x22);
  const FilterRule types = Parse("deny in icmp from assigned to any icmptypes 0,8,11-12");
  ASSERT_EQ(types.icmp_types.size(), 3U);
  EXPECT_TRUE(types.icmp_types[2].first == 11 && types.icmp_types[2].last == 12);
}

TEST(FilterRule, ErrorsNameTheWordAndWhatIsAllowed) {
  EXPECT_EQ(ErrorOf("allow in ip from any to any"), "\"allow\" must be permit or deny");
  EXPECT_EQ(ErrorOf(""), "ends too early: permit or deny is missing");
  EXPECT_THAT(ErrorOf("permit both ip from any to any"), HasSubstr("\"both\" must be in (what"));
  EXPECT_THAT(ErrorOf("permit in tpc from any to any"), HasSubstr("\"tpc\" must be a protocol"));
  EXPECT_THAT(ErrorOf("permit in 256 from any to any"), HasSubstr("\"256\" must be a protocol"));
  EXPECT_EQ(ErrorOf("permit in ip any to any"), "\"any\" must be the word from");
  EXPECT_EQ(ErrorOf("permit in ip from any"), "ends too early: the word to is missing");
  EXPECT_THAT(ErrorOf("permit in ip from any to"), HasSubstr("ends too early: any, assigned"));
  EXPECT_THAT(ErrorOf("permit in ip from any to 192.0.2.1/24"), HasSubstr("\"192.0.2.1/24\" must"));
  EXPECT_THAT(ErrorOf("permit in ip from any to example.org"), HasSubstr("\"example.org\" must"));
  EXPECT_THAT(ErrorOf("permit in ip from !192.0.2.1 to any"), HasSubstr("without \"!\", which is"));
  EXPECT_THAT(ErrorOf("permit in ip from any to assigned"),
              HasSubstr("\"assigned\" must be any or"));
  EXPECT_THAT(ErrorOf("permit out ip from assigned to any"), HasSubstr("\"assigned\" must be any"));
  EXPECT_THAT(ErrorOf("permit in ip from any to any 80"), HasSubstr("\"80\" must be left out"));
  for (const char* ports : {"80-", "90-80", "65536", "1,,2", "80,x", "1--2"}) {
    EXPECT_EQ(ErrorOf(std::string("permit in tcp from any to any ") + ports),
              "\"" + std::string(ports) + "\" must be ports such as 80,443,1000-2000");
  }
  EXPECT_EQ(ErrorOf("permit in ip from 192.0.2.1 to ::1"),
            "one address is IPv4 and the other IPv6");
  EXPECT_THAT(ErrorOf("permit in udp from any to any setup"), HasSubstr("is for tcp only"));
  EXPECT_THAT(ErrorOf("permit in tcp from any to any setup established"), HasSubstr("already"));
  EXPECT_THAT(ErrorOf("permit in tcp from any to any tcpflags syn,syn"),
              HasSubstr("a list of fin"));
  EXPECT_THAT(ErrorOf("permit in tcp from any to any tcpflags"), HasSubstr("ends too early"));
  EXPECT_THAT(ErrorOf("permit in tcp from any to any icmptypes 1"), HasSubstr("is for icmp"));
  EXPECT_THAT(ErrorOf("permit in icmp from any to any icmptypes 256"),
              HasSubstr("ICMP types such"));
  EXPECT_EQ(ErrorOf("permit in ip from any to any frag"),
            "\"frag\" must be left out: it is not supported");
  EXPECT_THAT(ErrorOf("permit in ip from any to any log"), HasSubstr("must be an option: setup"));
}

TEST(FilterRule, Truncations) {
  const std::string text = "deny in tcp from 10.0.0.0/8 99 to 192.0.2.1";
  for (size_t len = 0; len < text.size(); ++len) {
    EXPECT_FALSE(ParseFilterRule(text.substr(0, len))) << len;
  }
}

}  // namespace
}  // namespace culvert::config
