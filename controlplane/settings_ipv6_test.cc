#include "controlplane/settings_ipv6.h"

#include <gtest/gtest.h>

#include "proto/config/load.h"

namespace culvert {
namespace {

config::v1::Config Load(const std::string& text) {
  const config::Loaded loaded = config::LoadText(text, "f", config::Process::kControlplane);
  EXPECT_TRUE(loaded.problems.empty()) << config::Format(loaded.problems[0]);
  return loaded.config;
}

constexpr char kAll[] = R"(
[dataplane.clients]
routes = ["10.77.0.0/16", "2001:db8::/32"]
[ppp]
ipv6 = "allow"
[ipv6]
pool = "links"
delegated_pool = "homes"
addressing = "both"
dns = ["2001:db8::53", "2001:db8::54"]
advertisement_interval_s = 30
preferred_lifetime_s = 100
valid_lifetime_s = 200
[[ipv6.pools]]
name = "links"
prefixes = ["2001:db8:1000::/40"]
length = 64
[[ipv6.pools]]
name = "homes"
prefixes = ["2001:db8:2000::/40", "2001:db8:3000::/40"]
length = 56
)";

TEST(SettingsIpv6, EveryKeyArrives) {
  const config::v1::Config config = Load(kAll);
  const auto settings = MakeLinkSettings(config, "machine");
  EXPECT_EQ(settings->addressing, ipv6::Addressing::kBoth);
  EXPECT_EQ(settings->dns.size(), 2u);
  EXPECT_EQ(settings->advertisement_interval_s, 30u);
  EXPECT_EQ(settings->preferred_lifetime_s, 100u);
  EXPECT_EQ(settings->valid_lifetime_s, 200u);
  EXPECT_EQ(settings->mtu, 1396u);  // an MRU of 1400, without MPPE's octets
  const auto pools = MakePrefixPools(config);
  ASSERT_EQ(pools.size(), 2u);
  EXPECT_EQ(pools[1].name, "homes");
  EXPECT_EQ(pools[1].length, 56);
  EXPECT_EQ(pools[1].prefixes.size(), 2u);
  EXPECT_EQ(MakePrefixChoice(config).pool, "links");
  EXPECT_EQ(MakePrefixChoice(config).delegated_pool, "homes");
}

TEST(SettingsIpv6, TheServerIsKnownAgain) {
  const config::v1::Config config = Load("");
  const auto settings = MakeLinkSettings(config, "machine");
  EXPECT_EQ(settings->addressing, ipv6::Addressing::kSlaac);
  ASSERT_EQ(settings->server_duid.size(), 18u);
  EXPECT_EQ(settings->server_duid[1], 4);  // DUID-UUID
  EXPECT_EQ(settings->server_duid, MakeLinkSettings(config, "machine")->server_duid);
  EXPECT_NE(settings->server_duid, MakeLinkSettings(config, "other")->server_duid);
  EXPECT_FALSE(MachineName().empty());
}

}  // namespace
}  // namespace culvert
