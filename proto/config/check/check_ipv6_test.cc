// What the IPv6 part of the configuration may say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proto/config/load.h"

namespace culvert::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (const Problem& problem : LoadText(text, "f", Process::kControlplane).problems) {
    lines.push_back(Format(problem));
  }
  return lines;
}

std::string Pool(const std::string& name, const std::string& prefixes, int length) {
  return "[[ipv6.pools]]\nname = \"" + name + "\"\nprefixes = [" + prefixes +
         "]\nlength = " + std::to_string(length) + "\n";
}

constexpr char kGood[] = R"(
[dataplane.clients]
addresses = ["10.77.0.1/32", "2001:db8:ffff::1/128"]
routes = ["10.77.0.0/16", "2001:db8::/33"]
[ppp]
ipv6 = "allow"
[ipv6]
pool = "links"
delegated_pool = "homes"
dns = ["2001:db8::53"]
)";

TEST(CheckIpv6, GoodOnes) {
  EXPECT_THAT(Lines(kGood + Pool("links", "\"2001:db8:1000::/40\"", 64) +
                    Pool("homes", "\"2001:db8:2000::/40\", \"2001:db8:3000::/40\"", 56)),
              IsEmpty());
  EXPECT_THAT(Lines("[dataplane.clients]\nroutes = []\n[ppp]\nipv6 = \"allow\"\n" +
                    Pool("x", "\"fd00::/8\"", 64)),
              IsEmpty());
}

TEST(CheckIpv6, FormsOfAddresses) {
  EXPECT_THAT(
      Lines("[ipv6]\ndns = [\"8.8.8.8\"]\n" + Pool("p", "\"2001:db8::1/64\"", 64)),
      ElementsAre("f:2: ipv6.dns[0]: \"8.8.8.8\" is not an IPv6 address such as 2001:db8::1",
                  "f:5: ipv6.pools[0].prefixes[0]: \"2001:db8::1/64\" is not an IPv6 prefix "
                  "with no host bits set, such as 2001:db8::/32"));
  EXPECT_THAT(
      Lines("[dataplane.clients]\naddresses = [\"2001:db8::/129\"]\nroutes = [\"2001:db8::1/32\"]"),
      ElementsAre(
          "f:2: dataplane.clients.addresses[0]: \"2001:db8::/129\" is not an address with "
          "its prefix length, such as 192.0.2.1/24 or 2001:db8::1/64",
          "f:3: dataplane.clients.routes[0]: \"2001:db8::1/32\" is not a prefix with no host "
          "bits set, such as 192.0.2.0/24 or 2001:db8::/32"));
}

TEST(CheckIpv6, PoolsDoNotOverlap) {
  EXPECT_THAT(Lines(Pool("a", "\"2001:db8:2::/48\"", 64) + Pool("b", "\"2001:db8::/32\"", 64) +
                    Pool("a", "\"2001:db9::/32\"", 64)),
              ElementsAre("f:7: ipv6.pools[1].prefixes[0]: 2001:db8::/32 overlaps "
                          "ipv6.pools[0].prefixes[0] (2001:db8:2::/48)",
                          "f:10: ipv6.pools[2].name: a is in ipv6.pools[0].name already"));
}

TEST(CheckIpv6, PoolsMakeSense) {
  EXPECT_THAT(
      Lines(Pool("a", "\"ff00::/16\", \"fe80::/16\", \"::/96\", \"2001:db8::/72\"", 64)),
      ElementsAre("f:3: ipv6.pools[0].prefixes[0]: ff00::/16 holds addresses that no host can have",
                  "f:3: ipv6.pools[0].prefixes[1]: fe80::/16 holds addresses that no host can have",
                  "f:3: ipv6.pools[0].prefixes[2]: ::/96 holds addresses that no host can have",
                  "f:3: ipv6.pools[0].prefixes[2]: ::/96 is smaller than what one call gets, a /64",
                  "f:3: ipv6.pools[0].prefixes[3]: 2001:db8::/72 is smaller than what one call "
                  "gets, a /64"));
  EXPECT_THAT(Lines("[[ipv6.pools]]\nname = \"a\"\nprefixes = [\"2001:db8::/32\"]\n"),
              ElementsAre(HasSubstr("ipv6.pools[0].length: is missing and has no default")));
}

TEST(CheckIpv6, PoolsAreReachable) {
  EXPECT_THAT(
      Lines(std::string("[ppp]\nipv6 = \"allow\"\n") + Pool("links", "\"2001:db8:8000::/40\"", 64)),
      ElementsAre(HasSubstr("f:5: ipv6.pools[0].prefixes[0]: 2001:db8:8000::/40 is not "
                            "covered by dataplane.clients.routes (10.77.0.0/16)")));
  EXPECT_THAT(
      Lines(kGood + Pool("links", "\"2001:db8:1000::/40\"", 64) +
            Pool("homes", "\"2001:db8:8000::/40\"", 56)),
      ElementsAre(HasSubstr("ipv6.pools[1].prefixes[0]: 2001:db8:8000::/40 is not covered")));
}

TEST(CheckIpv6, OurAddressesAreNoClients) {
  const std::vector<std::string> lines =
      Lines("[dataplane.clients]\naddresses = [\"2001:db8::1/64\"]\n" +
            Pool("a", "\"2001:db8::/48\"", 64));
  EXPECT_THAT(lines, ElementsAre(HasSubstr("2001:db8::/48 holds 2001:db8::1, our own address "
                                           "(dataplane.clients.addresses[0]): leave it out")));
}

TEST(CheckIpv6, ChoicesExistAndFit) {
  EXPECT_THAT(
      Lines("[ipv6]\npool = \"a\"\ndelegated_pool = \"b\"\n" + Pool("a", "\"2001:db8::/32\"", 56)),
      ElementsAre(HasSubstr("f:2: ipv6.pool: \"a\" gives prefixes of length 56, and clients "
                            "can make up addresses with 64 only (RFC 4862)"),
                  HasSubstr("f:3: ipv6.delegated_pool: no pool has the name \"b\"")));
  EXPECT_THAT(
      Lines("[ipv6]\npool = \"a\"\naddressing = \"dhcp\"\n" + Pool("a", "\"2001:db8::/32\"", 56)),
      IsEmpty());
  EXPECT_THAT(Lines("[ipv6]\npreferred_lifetime_s = 100\nvalid_lifetime_s = 99\n"),
              ElementsAre(HasSubstr("ipv6.preferred_lifetime_s: 100 is above")));
}

TEST(CheckIpv6, LinksHaveRoom) {
  EXPECT_THAT(Lines("[ppp]\nipv6 = \"allow\"\nmtu = 1279\nmru = 1283\n"),
              ElementsAre(HasSubstr("ppp.mtu: 1279 is too small for IPv6: at least 1280"),
                          HasSubstr("ppp.mru: 1283 is too small for IPv6: at least 1284")));
  EXPECT_THAT(Lines("[ppp]\nmtu = 1279\nmru = 1283\n"), IsEmpty());
}

}  // namespace
}  // namespace culvert::config
