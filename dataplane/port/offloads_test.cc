#include "dataplane/port/offloads.h"

#include <gtest/gtest.h>
#include <rte_thash.h>

#include "dataplane/call/worker_choice.h"
#include "dataplane/datapath.h"

namespace culvert::dataplane {
namespace {

// A NIC as they are today.
rte_eth_dev_info Nic() {
  rte_eth_dev_info info{};
  info.rx_offload_capa = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM |
                         RTE_ETH_RX_OFFLOAD_VLAN_STRIP | RTE_ETH_RX_OFFLOAD_SCATTER |
                         RTE_ETH_RX_OFFLOAD_TCP_LRO;
  info.tx_offload_capa =
      RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_VLAN_INSERT;
  info.flow_type_rss_offloads = RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP;
  info.hash_key_size = 40;
  info.reta_size = 128;
  return info;
}

TEST(Offloads, TakesWhatIsUsedAndNothingElse) {
  const Offloads offloads = ChooseOffloads(Nic(), {.num_queues = 4});
  EXPECT_EQ(offloads.rx, RTE_ETH_RX_OFFLOAD_IPV4_CKSUM);
  EXPECT_EQ(offloads.tx, RTE_ETH_TX_OFFLOAD_IPV4_CKSUM);
  EXPECT_TRUE(offloads.rx_checksum);
  EXPECT_TRUE(offloads.tx_checksum);
  EXPECT_FALSE(offloads.vlan_strip);
  EXPECT_EQ(offloads.rss_fields & (RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP), 0u);
  EXPECT_NE(offloads.rss_fields & RTE_ETH_RSS_IPV4, 0u);
  EXPECT_TRUE(offloads.rss_key);
}

TEST(Offloads, SubPortsWantTagsTakenOff) {
  const Offloads offloads = ChooseOffloads(Nic(), {.has_vlans = true});
  EXPECT_TRUE(offloads.vlan_strip);
  EXPECT_EQ(offloads.rx, RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_VLAN_STRIP);
}

TEST(Offloads, OffLeavesRssAndChainsAlone) {
  const Offloads offloads =
      ChooseOffloads(Nic(), {.allowed = false, .has_vlans = true, .num_queues = 2, .mtu = 9000});
  EXPECT_EQ(offloads.rx, RTE_ETH_RX_OFFLOAD_SCATTER);
  EXPECT_EQ(offloads.tx, 0u);
  EXPECT_FALSE(offloads.rx_checksum || offloads.tx_checksum || offloads.vlan_strip);
  EXPECT_NE(offloads.rss_fields, 0u);
}

TEST(Offloads, ChainsOnlyForFramesThatFitNoBuffer) {
  const auto scatter = [](uint16_t mtu, uint32_t room) {
    return (ChooseOffloads(Nic(), {.mtu = mtu, .data_room = room}).rx &
            RTE_ETH_RX_OFFLOAD_SCATTER) != 0;
  };
  EXPECT_FALSE(scatter(1500, 2048));
  EXPECT_FALSE(scatter(2026, 2048));
  EXPECT_TRUE(scatter(2027, 2048));
  EXPECT_FALSE(scatter(9000, 9216));
}

TEST(Offloads, ADeviceWithoutAnythingIsFine) {
  const Offloads offloads = ChooseOffloads({}, {.has_vlans = true, .num_queues = 2, .mtu = 9000});
  EXPECT_EQ(offloads.rx, 0u);
  EXPECT_EQ(offloads.tx, 0u);
  EXPECT_EQ(offloads.rss_fields, 0u);
  EXPECT_FALSE(offloads.rx_checksum || offloads.tx_checksum || offloads.vlan_strip ||
               offloads.rss_key);
}

TEST(Offloads, AKeyOfAnotherLengthStays) {
  rte_eth_dev_info info = Nic();
  info.hash_key_size = 52;
  EXPECT_FALSE(ChooseOffloads(info, {.num_queues = 2}).rss_key);
  EXPECT_FALSE(ChooseOffloads(Nic(), {.num_queues = 1}).rss_key);
  EXPECT_EQ(ChooseOffloads(Nic(), {.num_queues = 1}).rss_fields, 0u);
}

// The queue that a device with this table picks for a hash, against the worker that calls get.
TEST(Offloads, TheRedirectionTableIsWhatCallPlacementCountsOn) {
  for (const uint16_t size : {128, 256, 512}) {
    for (const unsigned num_queues : {1U, 2U, 3U, 7U, 16U}) {
      const auto table = RedirectionTable(size, num_queues);
      ASSERT_EQ(table.size(), size / 64u);
      for (uint32_t i = 0; i < 500; ++i) {
        const uint32_t peer = 0x0a000001 + i * 7919;
        uint32_t tuple[] = {peer, 0x0a630001};
        const uint32_t place = rte_softrss(tuple, 2, kRssKey.data()) % size;
        EXPECT_EQ(table[place / 64].mask, UINT64_MAX);
        EXPECT_EQ(table[place / 64].reta[place % 64],
                  WorkerChoice::RssWorker(peer, 0x0a630001, num_queues));
      }
    }
  }
}

}  // namespace
}  // namespace culvert::dataplane
