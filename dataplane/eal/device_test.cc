#include "dataplane/eal/device.h"

#include <gtest/gtest.h>

namespace culvert::dataplane {
namespace {

TEST(Device, ParsesPciAddresses) {
  const auto device = ParseDevice("0A:1f.3,representor=0");
  ASSERT_TRUE(device.ok());
  EXPECT_EQ(device->kind, Device::Kind::kPci);
  EXPECT_EQ(device->name, "0000:0a:1f.3");
  EXPECT_EQ(device->Text(), "0000:0a:1f.3,representor=0");
  EXPECT_EQ(device->Driver(), "");
  EXPECT_EQ(ParseDevice("10000:01:00.0")->name, "10000:01:00.0");
}

TEST(Device, ParsesVirtualDevices) {
  const auto device = ParseDevice("net_af_packet12,iface=acc0,qdisc_bypass=1");
  ASSERT_TRUE(device.ok());
  EXPECT_EQ(device->kind, Device::Kind::kVirtual);
  EXPECT_EQ(device->name, "net_af_packet12");
  EXPECT_EQ(device->Driver(), "net_af_packet");
  EXPECT_EQ(device->KernelInterface(), "acc0");
}

TEST(Device, RefusesWhatIsNeither) {
  for (const char* text :
       {"", "eth0", "01:00", "xx:xx.x", "01:00.8", "000:01:00.0", ":01:00.0", "0.00:01:00.0",
        "net_af_packet0", "net_af_xdp0,queue_count=1", "net_null0,,x=1", "../net_null0"}) {
    const auto device = ParseDevice(text);
    ASSERT_FALSE(device.ok()) << text;
    EXPECT_NE(device.status().message().find(text), absl::string_view::npos);
  }
}

TEST(Device, FitGivesAfPacketAQueuePairForEachWorker) {
  Device device = *ParseDevice("net_af_packet0,iface=a");
  FitDevice(2, 1500, &device);
  EXPECT_EQ(device.Text(), "net_af_packet0,iface=a,qpairs=2");
}

TEST(Device, FitGivesAfPacketSlotsForJumboFrames) {
  Device device = *ParseDevice("net_af_packet0,iface=a");
  FitDevice(1, 9000, &device);
  EXPECT_EQ(device.Argument("framesz"), "12288");
  EXPECT_EQ(device.Argument("blocksz"), "12288");
}

TEST(Device, FitLeavesWhatIsConfigured) {
  Device device = *ParseDevice("net_af_packet0,iface=a,qpairs=4");
  FitDevice(2, 1500, &device);
  EXPECT_EQ(device.Text(), "net_af_packet0,iface=a,qpairs=4");
}

}  // namespace
}  // namespace culvert::dataplane
