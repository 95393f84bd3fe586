#include "proto/config/address/address6.h"

#include <gtest/gtest.h>

namespace culvert::config {
namespace {

TEST(Address6, ParsesAndFormats) {
  for (const char* text : {"::", "2001:db8::1", "fe80::1:2:3:4", "::ffff:192.0.2.1"}) {
    const auto address = ParseIpv6(text);
    ASSERT_TRUE(address.has_value()) << text;
    EXPECT_EQ(FormatIpv6(*address), text);
  }
  for (const char* text : {"", ":", "2001:db8::1%eth0", "2001:db8::1 ", "192.0.2.1", "1::2::3"}) {
    EXPECT_FALSE(ParseIpv6(text).has_value()) << text;
  }
}

TEST(Address6, ParsesPrefixesWithoutHostBits) {
  for (const char* text : {"::/0", "2001:db8::/32", "2001:db8:0:8::/61", "2001:db8::1/128"}) {
    const auto prefix = ParsePrefix6(text);
    ASSERT_TRUE(prefix.has_value()) << text;
    EXPECT_EQ(FormatPrefix6(*prefix), text);
  }
  for (const char* text : {"2001:db8::", "2001:db8::/", "2001:db8::1/64", "2001:db8::/129",
                           "2001:db8::/032", "2001:db8::/-1", "2001:db8:0:8::/60", "::/1x"}) {
    EXPECT_FALSE(ParsePrefix6(text).has_value()) << text;
  }
}

TEST(Address6, ContainsGoesByTheBit) {
  const Ipv6Prefix prefix = *ParsePrefix6("2001:db8:0:8::/61");
  EXPECT_TRUE(prefix.Contains(*ParseIpv6("2001:db8:0:f::1")));
  EXPECT_FALSE(prefix.Contains(*ParseIpv6("2001:db8:0:10::1")));
  EXPECT_TRUE(ParsePrefix6("::/0")->Contains(*ParseIpv6("ff02::1")));
}

}  // namespace
}  // namespace culvert::config
