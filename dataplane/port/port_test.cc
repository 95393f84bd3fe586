#include "dataplane/port/port.h"

#include <gtest/gtest.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "dataplane/call/worker_choice.h"

namespace culvert::dataplane {
namespace {

// A port over net_null, which has two queues and a redirection table but no wire.
class PortTest : public testing::Test {
 protected:
  PortTest() {
    mbufs_ = rte_pktmbuf_pool_create("port_test", 4095, 64, kMbufPrivateLen,
                                     RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    made_ = rte_eal_hotplug_add("vdev", "net_null7", "") == 0;
    config_.set_name("wan0");
    config_.set_device("net_null7");
  }
  ~PortTest() override {
    port_.reset();
    if (made_) rte_eal_hotplug_remove("vdev", "net_null7");
    rte_mempool_free(mbufs_);
  }
  absl::Status Open(unsigned num_workers) {
    auto port = Port::Open(config_, *ParseDevice(config_.device()), num_workers, mbufs_, true);
    if (!port.ok()) return port.status();
    port_ = *std::move(port);
    return absl::OkStatus();
  }

  bool made_ = false;
  rte_mempool* mbufs_ = nullptr;
  config::v1::Port config_;
  std::unique_ptr<Port> port_;
};

TEST_F(PortTest, TheRedirectionTableSpreadsOverTheWorkers) {
  if (!made_) GTEST_SKIP() << "DPDK has no net_null here";
  const absl::Status status = Open(3);
  ASSERT_TRUE(status.ok()) << status;
  rte_eth_dev_info info{};
  ASSERT_EQ(rte_eth_dev_info_get(port_->dpdk_port(), &info), 0);
  ASSERT_EQ(info.reta_size, 128);
  rte_eth_rss_reta_entry64 table[2] = {};
  table[0].mask = table[1].mask = UINT64_MAX;
  ASSERT_EQ(rte_eth_dev_rss_reta_query(port_->dpdk_port(), table, 128), 0);
  for (unsigned i = 0; i < 128; ++i) EXPECT_EQ(table[i / 64].reta[i % 64], i % 3) << i;
}

TEST_F(PortTest, CountsFramesByQueue) {
  if (!made_) GTEST_SKIP() << "DPDK has no net_null here";
  ASSERT_TRUE(Open(2).ok());
  rte_mbuf* burst[32];
  const uint16_t n = rte_eth_rx_burst(port_->dpdk_port(), 1, burst, 32);
  ASSERT_EQ(n, 32);
  EXPECT_EQ(rte_eth_tx_burst(port_->dpdk_port(), 0, burst, n), n);
  const PortTotals totals = port_->Totals();
  EXPECT_TRUE(totals.link_up);
  EXPECT_EQ(totals.rx_packets, 32u);
  EXPECT_EQ(totals.tx_packets, 32u);
  ASSERT_EQ(totals.queues.size(), 2u);
  EXPECT_EQ(totals.queues[0].rx_packets, 0u);
  EXPECT_EQ(totals.queues[1].rx_packets, 32u);
  EXPECT_EQ(totals.queues[0].tx_packets, 32u);
}

TEST_F(PortTest, AVlanHasItsParentsDeviceAndMacAndItsOwnNameAndMtu) {
  if (!made_) GTEST_SKIP() << "DPDK has no net_null here";
  config_.set_mac("02:00:00:00:00:07");
  ASSERT_TRUE(Open(1).ok());
  config::v1::Port config;
  config.set_name("wan0.9");
  config.set_parent("wan0");
  config.set_vlan(9);
  const auto same_mtu = Port::OpenVlan(config, *port_);
  config.set_mtu(1300);
  const auto vlan = Port::OpenVlan(config, *port_);
  EXPECT_EQ(same_mtu->mtu(), 1500);
  EXPECT_EQ(vlan->mtu(), 1300);
  EXPECT_EQ(vlan->name(), "wan0.9");
  EXPECT_EQ(vlan->vlan(), 9);
  EXPECT_EQ(port_->vlan(), 0);
  EXPECT_EQ(vlan->dpdk_port(), port_->dpdk_port());
  EXPECT_EQ(vlan->mac(), port_->mac());
  EXPECT_TRUE(vlan->LinkUp());
  EXPECT_TRUE(vlan->Totals().queues.empty());
}

}  // namespace
}  // namespace culvert::dataplane
