#include "controlplane/shard/call/call_identity.h"

#include <gtest/gtest.h>

namespace culvert {
namespace {

TEST(PeerNames, ATelephoneNumberIsTaken) {
  const auto names = MakePeerNames("pac1", "+49 (30) 1234-5", "*31#0172");
  ASSERT_NE(names, nullptr);
  EXPECT_EQ(names->host_name, "pac1");
  EXPECT_EQ(names->called_number, "+49 (30) 1234-5");
  EXPECT_EQ(names->calling_number, "*31#0172");
}

TEST(PeerNames, WhatLooksLikeAnAddressIsNoNumber) {
  for (const char* text : {"192.0.2.1", "::1", "2001:db8::1", "12a", "+-", "", "1\n2"}) {
    EXPECT_EQ(MakePeerNames("", text, text), nullptr) << text;
  }
}

TEST(PeerNames, AHostNameIsPrintable) {
  EXPECT_EQ(MakePeerNames("", "", ""), nullptr);
  EXPECT_EQ(MakePeerNames("local", "", "")->host_name, "local");
  for (const char* text : {"\x1b[2J", "\x01x", "a b", "h\xc3\xb6st"}) {
    EXPECT_EQ(MakePeerNames(text, "", ""), nullptr) << text;
  }
}

}  // namespace
}  // namespace culvert
