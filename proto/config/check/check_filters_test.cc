// What [[filters]] and policy.filter may say.
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

TEST(CheckFilters, PolicyNamesAFilter) {
  EXPECT_THAT(Lines("[policy]\nfilter = \"gold\"\n"),
              ElementsAre("f:2: policy.filter: there is no filter named \"gold\""));
}

}  // namespace
}  // namespace culvert::config
