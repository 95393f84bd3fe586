#include "proto/config/address/client_prefix.h"

#include <gtest/gtest.h>

namespace culvert::config {
namespace {

TEST(ClientPrefix, BothFamilies) {
  EXPECT_EQ(ParseClientPrefix("192.0.2.1"), ParsePrefix6("::ffff:192.0.2.1/128"));
  EXPECT_EQ(ParseClientPrefix("192.0.2.0/24"), ParsePrefix6("::ffff:192.0.2.0/120"));
  EXPECT_EQ(ParseClientPrefix("0.0.0.0/0"), ParsePrefix6("::ffff:0.0.0.0/96"));
  EXPECT_EQ(ParseClientPrefix("2001:db8::1"), ParsePrefix6("2001:db8::1/128"));
  EXPECT_EQ(ParseClientPrefix("2001:db8::/32"), ParsePrefix6("2001:db8::/32"));
  for (const char* wrong :
       {"", "radius.example", "192.0.2.1/24", "2001:db8::1/32", "192.0.2.0/33"}) {
    EXPECT_FALSE(ParseClientPrefix(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace culvert::config
