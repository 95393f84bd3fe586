#include "controlplane/aaa/users/address_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace culvert {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Applied {
  std::string problem;
  CallGrants grants;
  std::vector<std::string> allowed;
};

Applied Apply(const std::vector<std::string>& words) {
  Applied applied;
  applied.problem = ApplyAddressRules(words, applied.grants);
  if (applied.grants.allowed_addresses) {
    for (const config::Ipv4Range& range : *applied.grants.allowed_addresses) {
      applied.allowed.push_back(config::FormatIpv4(range.first) + "-" +
                                config::FormatIpv4(range.last));
    }
  }
  return applied;
}

TEST(AddressRules, NothingAndStarAllowAll) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{}, {"*"}}) {
    EXPECT_EQ(Apply(words).problem, "");
    EXPECT_FALSE(Apply(words).grants.allowed_addresses.has_value());
    EXPECT_EQ(Apply(words).grants.fixed_address, 0u);
  }
}

TEST(AddressRules, DashAllowsNone) {
  const Applied applied = Apply({"-"});
  ASSERT_TRUE(applied.grants.allowed_addresses.has_value());
  EXPECT_TRUE(applied.allowed.empty());
}

TEST(AddressRules, FirstAddressAloneIsTheUsers) {
  const Applied applied = Apply({"10.0.0.0/30", "192.0.2.7", "192.0.2.8"});
  EXPECT_EQ(applied.grants.fixed_address, 0xc0000207u);
  EXPECT_THAT(applied.allowed,
              ElementsAre("10.0.0.0-10.0.0.3", "192.0.2.7-192.0.2.7", "192.0.2.8-192.0.2.8"));
}

TEST(AddressRules, FirstWordThatHoldsAnAddressDecides) {
  EXPECT_THAT(Apply({"!10.0.0.1", "10.0.0.0/30"}).allowed,
              ElementsAre("10.0.0.0-10.0.0.0", "10.0.0.2-10.0.0.3"));
  EXPECT_THAT(Apply({"10.0.0.0/30", "!10.0.0.1"}).allowed, ElementsAre("10.0.0.0-10.0.0.3"));
  EXPECT_THAT(Apply({"!128.0.0.0/1", "*"}).allowed, ElementsAre("0.0.0.0-127.255.255.255"));
  EXPECT_THAT(Apply({"10.0.0.9/30", "-", "*"}).allowed, ElementsAre("10.0.0.8-10.0.0.11"));
  EXPECT_EQ(Apply({"!10.0.0.1", "10.0.0.1"}).grants.fixed_address, 0u);
}

TEST(AddressRules, NetworkWithUnitNumberIsThatNetwork) {
  const Applied applied = Apply({"10.0.0.0/24+"});
  EXPECT_THAT(applied.allowed, ElementsAre("10.0.0.0-10.0.0.255"));
  EXPECT_EQ(applied.grants.fixed_address, 0u);
}

TEST(AddressRules, WhatItDoesNotTake) {
  for (const char* word : {"", "pool", "10.0.0", "10.0.0.0/", "10.0.0.0/0", "10.0.0.0/33", "!",
                           "10.0.0.0/+", "10.0.0.0/-1", "host.example", "10.0.0.1+"}) {
    EXPECT_THAT(Apply({word}).problem, HasSubstr("is none of")) << word;
  }
}

}  // namespace
}  // namespace culvert
