#include "controlplane/filters/filter_program.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace culvert::filters {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

dataplane::v1::Filter Make(const std::vector<std::string>& rules) {
  auto filter = MakeProgram(rules);
  EXPECT_TRUE(filter) << filter.error();
  return filter.value_or(dataplane::v1::Filter());
}

TEST(FilterProgram, WritesOutEachField) {
  const auto filter = Make({"permit in tcp from 192.0.2.0/24 1024-65535 to 198.51.100.1 80 setup"});
  ASSERT_EQ(filter.rules_size(), 1);
  EXPECT_EQ(filter.rules(0).ShortDebugString(),
            "permit: true upstream: true protocol: 6 "
            "source { address: \"\\300\\000\\002\\000\" length: 24 } "
            "destination { address: \"\\3063d\\001\" length: 32 } "
            "source_ports { first: 1024 last: 65535 } destination_ports { first: 80 last: 80 } "
            "tcp_flags_mask: 18 tcp_flags: 2");
}

TEST(FilterProgram, ListsBecomeRules) {
  EXPECT_EQ(Make({"deny in tcp from any 1,2 to any 80,443,8080 established"}).rules_size(), 12);
  const auto types = Make({"deny out icmp from any to any icmptypes 0,8"});
  ASSERT_EQ(types.rules_size(), 2);
  EXPECT_EQ(types.rules(1).destination_ports().first(), 8U);
  EXPECT_EQ(types.rules(1).destination_ports().last(), 8U);
  EXPECT_FALSE(types.rules(1).has_source_ports());
}

// RFC 6733 s4.3.1.
TEST(FilterProgram, WhatNoRuleMatchesIsTheOppositeOfTheLastOne) {
  const auto filter =
      Make({"deny in ip from any to 192.0.2.1", "permit in ip from any to 192.0.2.2",
            "deny out ip from 192.0.2.1 to any"});
  EXPECT_FALSE(filter.permit_upstream());
  EXPECT_TRUE(filter.permit_downstream());
  EXPECT_TRUE(Make({"permit in ip from any to any"}).permit_downstream()) << "no rule: open";
  EXPECT_TRUE(Make({}).permit_upstream());
}

TEST(FilterProgram, ErrorsNameTheRule) {
  const auto error = [](const std::vector<std::string>& rules) {
    const auto filter = MakeProgram(rules);
    return filter ? "" : filter.error();
  };
  EXPECT_EQ(error({"permit in ip from any to any", "deny\x01"}),
            "\"deny\\x01\": \"deny\\x01\" must be permit or deny");
  std::string many = "permit in tcp from any 1";
  for (int port = 2; port < 100; ++port) many += "," + std::to_string(port);
  EXPECT_EQ(error({many + " to any 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22 "
                          "established"}),
            "4356 rules when lists are written out; at most 4096 are allowed");
  std::string ranges = "permit in tcp from any 1-2";
  for (int port = 3; port < 100; port += 2) {
    ranges += fmt::format(",{}-{}", port, port + 1);
  }
  EXPECT_EQ(
      error({ranges + " to any 1-2,3-4,5-6,7-8,9-10,11-12"}),
      "300 rules with a range of ports at both ends when lists are written out; at most 256 are "
      "allowed");
}

TEST(FilterProgram, SplitsAtOctets0) {
  EXPECT_THAT(SplitRules(""), IsEmpty());
  EXPECT_THAT(SplitRules("a b"), ElementsAre("a b"));
  EXPECT_THAT(SplitRules(std::string("a\0b\0\0c\0", 7)), ElementsAre("a", "b", "c"));
  EXPECT_THAT(SplitRules(std::string("\0\0", 2)), IsEmpty());
}

}  // namespace
}  // namespace culvert::filters
