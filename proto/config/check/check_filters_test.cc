// What [[filters]] and policy.filter may say.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proto/config/load.h"

namespace culvert::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (const Problem& problem : LoadText(text, "f", Process::kControlplane).problems) {
    lines.push_back(Format(problem));
  }
  return lines;
}

constexpr char kGood[] = R"(
[policy]
filter = "web"
[[filters]]
name = "web"
rules = ["permit in tcp from any to any 80,443",
         "permit out ip from any to assigned"]
)";

TEST(CheckFilters, GoodOnes) {
  EXPECT_THAT(Lines(kGood), IsEmpty());
  EXPECT_THAT(Lines("filters = []\n[policy]\nfilter = \"\"\n"), IsEmpty());
}

TEST(CheckFilters, NamesTheLineOfAWrongRule) {
  EXPECT_THAT(Lines(std::string(kGood) + R"([[filters]]
name = "web"
rules = ["permit in ip from any to any",
         "permit in tpc from any to any"]
)"),
              ElementsAre("f:9: filters[1].name: web is in filters[0].name already",
                          "f:11: filters[1].rules[1]: \"permit in tpc from any to any\": \"tpc\" "
                          "must be a protocol: ip (any), tcp, udp, icmp, icmpv6, sctp, gre, esp, "
                          "ah, or a number from 0 to 255"));
}

// Ports gives "1-2,3-4,...": `num` ranges.
std::string Ports(int num) {
  std::string text;
  for (int i = 0; i < num; ++i) {
    text += fmt::format("{}{}-{}", i == 0 ? "" : ",", 2 * i + 1, 2 * i + 2);
  }
  return text;
}

std::string Big(const std::string& rule) {
  return "[[filters]]\nname = \"big\"\nrules = [\"" + rule + "\"]\n";
}

TEST(CheckFilters, NoMoreRulesThanTheDataPlaneTakes) {
  const std::string one = "permit in tcp from any to any " + Ports(32);
  EXPECT_THAT(Lines(Big(one + "\", \"" + one)), IsEmpty());
  EXPECT_THAT(Lines(Big("permit in tcp from any " + Ports(16) + " to any " + Ports(16))),
              IsEmpty());
  EXPECT_THAT(
      Lines(Big("permit in tcp from any " + Ports(16) + " to any " + Ports(17))),
      ElementsAre("f:3: filters[0].rules: big: 272 rules with a range of ports at both ends "
                  "when lists are written out; at most 256 are allowed"));
  std::string singles = "1";
  for (int port = 2; port <= 33; ++port) singles += fmt::format(",{}", port);
  const std::string mixed = "permit in udp from any " + singles + " to any " + Ports(16);
  EXPECT_THAT(Lines(Big(mixed + "\", \"" + mixed)),
              ElementsAre("f:3: filters[0].rules: big: 1056 rules with a range of ports at one end "
                          "when lists are written out; at most 1024 are allowed"));
  EXPECT_THAT(Lines(Big("permit in udp from any " + singles + " to any " + singles + "\", \"" +
                        "deny in udp from any " + singles + " to any " + singles + "\", \"" +
                        "permit in sctp from any " + singles + " to any " + singles + "\", \"" +
                        "permit in tcp from any " + singles + " to any " + singles)),
              ElementsAre("f:3: filters[0].rules: big: 4356 rules when lists are written out; at "
                          "most 4096 are allowed"));
}

TEST(CheckFilters, PolicyNamesAFilter) {
  EXPECT_THAT(Lines("[policy]\nfilter = \"gold\"\n"),
              ElementsAre("f:2: policy.filter: there is no filter named \"gold\""));
}

}  // namespace
}  // namespace culvert::config
