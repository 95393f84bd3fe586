#include "dataplane/port/mac.h"

#include <gtest/gtest.h>

namespace culvert::dataplane {
namespace {

constexpr MacAddress kDeviceMac{0x52, 0x54, 0, 1, 2, 3};

TEST(Mac, StableIsLocalUnicastAndDependsOnItsArgumentsOnly) {
  const MacAddress mac = StableMac("access", "acc0", kDeviceMac);
  EXPECT_EQ(mac, StableMac("access", "acc0", kDeviceMac));
  EXPECT_EQ(mac[0] & 0x03, 0x02);
  EXPECT_NE(mac, StableMac("core", "acc0", kDeviceMac));
  EXPECT_NE(mac, StableMac("access", "acc1", kDeviceMac));
  EXPECT_NE(mac, StableMac("access", "acc0", MacAddress{}));
  EXPECT_NE(StableMac("ab", "c", {}), StableMac("a", "bc", {}));
}

TEST(Mac, StableNeverChangesBetweenReleases) {
  EXPECT_EQ(FormatMac(StableMac("access", "acc0", MacAddress{})), "66:9c:a6:9d:da:b4");
}

TEST(Mac, ConfiguredGoesFirst) {
  const MacAddress configured{2, 0, 0, 0, 0, 9};
  EXPECT_EQ(ChooseMac("p", configured, *ParseDevice("0000:01:00.0"), kDeviceMac), configured);
  EXPECT_EQ(ChooseMac("p", configured, *ParseDevice("net_null0"), kDeviceMac), configured);
}

TEST(Mac, PciKeepsItsOwn) {
  EXPECT_EQ(ChooseMac("p", std::nullopt, *ParseDevice("0000:01:00.0"), kDeviceMac), kDeviceMac);
}

TEST(Mac, VirtualDevicesNeverTakeTheKernelInterfacesOwn) {
  const auto device = *ParseDevice("net_af_packet0,iface=acc0");
  EXPECT_NE(ChooseMac("p", std::nullopt, device, kDeviceMac), kDeviceMac);
}

TEST(Mac, Formats) { EXPECT_EQ(FormatMac({0x02, 0xab, 0, 0, 0, 0xff}), "02:ab:00:00:00:ff"); }

}  // namespace
}  // namespace culvert::dataplane
