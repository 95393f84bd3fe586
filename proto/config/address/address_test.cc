#include "proto/config/address/address.h"

#include <gtest/gtest.h>

namespace culvert::config {
namespace {

TEST(Address, Ipv4TakesFourDecimalOctetsOnly) {
  EXPECT_EQ(ParseIpv4("192.0.2.1"), 0xc0000201u);
  EXPECT_EQ(ParseIpv4("0.0.0.0"), 0u);
  EXPECT_EQ(ParseIpv4("255.255.255.255"), 0xffffffffu);
  for (const char* bad : {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4",
                          "1..3.4", "a.b.c.d", "+1.2.3.4", "1.2.3.", "99999999999.1.1.1"}) {
    EXPECT_FALSE(ParseIpv4(bad)) << bad;
  }
}

TEST(Address, PrefixHasNoHostBits) {
  const auto prefix = ParsePrefix("10.77.0.0/16");
  ASSERT_TRUE(prefix);
  EXPECT_EQ(prefix->First(), 0x0a4d0000u);
  EXPECT_EQ(prefix->Last(), 0x0a4dffffu);
  EXPECT_TRUE(prefix->Contains(0x0a4d1234));
  EXPECT_FALSE(prefix->Contains(0x0a4e0000));
  EXPECT_TRUE(ParsePrefix("0.0.0.0/0"));
  EXPECT_EQ(ParsePrefix("0.0.0.0/0")->Last(), 0xffffffffu);
  EXPECT_TRUE(ParsePrefix("192.0.2.1/32"));
  for (const char* bad : {"192.0.2.1/24", "192.0.2.0", "192.0.2.0/33", "192.0.2.0/", "/24",
                          "192.0.2.0/024", "192.0.2.0/-1"}) {
    EXPECT_FALSE(ParsePrefix(bad)) << bad;
  }
}

TEST(Address, InterfaceKeepsItsHostBits) {
  const auto interface = ParseInterface("192.0.2.1/24");
  ASSERT_TRUE(interface);
  EXPECT_EQ(interface->address, 0xc0000201u);
  EXPECT_EQ(interface->length, 24);
  EXPECT_EQ(FormatPrefix(*interface), "192.0.2.1/24");
  EXPECT_FALSE(ParseInterface("192.0.2.1"));
  EXPECT_FALSE(ParseInterface("192.0.2.1/0"));
  EXPECT_FALSE(ParseInterface("0.0.0.0/8"));
}

TEST(Address, RangeIsOrderedEndsOrAPrefix) {
  const auto range = ParseRange("192.0.2.10-192.0.2.99");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->first, 0xc000020au);
  EXPECT_EQ(range->last, 0xc0000263u);
  EXPECT_EQ(range->Size(), 90u);
  EXPECT_EQ(ParseRange("192.0.2.0/30")->Size(), 4u);
  EXPECT_EQ(ParseRange("192.0.2.1-192.0.2.1")->Size(), 1u);
  EXPECT_EQ(ParseRange("0.0.0.0/0")->Size(), uint64_t{1} << 32);
  for (const char* bad : {"192.0.2.99-192.0.2.10", "192.0.2.10-", "-192.0.2.10", "192.0.2.10",
                          "192.0.2.10 - 192.0.2.99", "192.0.2.1/24", ""}) {
    EXPECT_FALSE(ParseRange(bad)) << bad;
  }
}

TEST(Address, EndpointHasAPort) {
  const auto endpoint = ParseEndpoint("0.0.0.0:1723");
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->address, 0u);
  EXPECT_EQ(endpoint->port, 1723);
  EXPECT_EQ(FormatEndpoint(*endpoint), "0.0.0.0:1723");
  for (const char* bad :
       {"0.0.0.0", "0.0.0.0:0", "0.0.0.0:65536", ":1723", "localhost:1723", "1.2.3.4:"}) {
    EXPECT_FALSE(ParseEndpoint(bad)) << bad;
  }
}

TEST(Address, MacIsAUnicastOne) {
  const auto mac = ParseMac("02:00:00:00:Ab:01");
  ASSERT_TRUE(mac);
  EXPECT_EQ(*mac, (MacAddress{0x02, 0, 0, 0, 0xab, 0x01}));
  for (const char* bad : {"", "00:00:00:00:00:00", "01:00:00:00:00:01", "02-00-00-00-00-01",
                          "2:0:0:0:0:1", "02:00:00:00:00:0g", "02:00:00:00:00:01:02"}) {
    EXPECT_FALSE(ParseMac(bad)) << bad;
  }
}

}  // namespace
}  // namespace culvert::config
