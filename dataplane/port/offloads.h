// Offloads: what a device is asked to do, from what it can do. Pure.
#pragma once

#include <rte_ethdev.h>

#include <cstdint>
#include <vector>

namespace culvert::dataplane {

struct OffloadWishes {
  bool allowed = true;        // the configuration's offload = "auto"
  bool has_vlans = false;     // the port has sub-ports
  unsigned num_queues = 1;    // receive queues
  uint16_t mtu = 1500;        // largest IP packet, octets
  uint32_t data_room = 2048;  // of an mbuf, octets, headroom not counted
};

struct Offloads {
  uint64_t rx = 0, tx = 0;   // RTE_ETH_RX_OFFLOAD_…, RTE_ETH_TX_OFFLOAD_…
  uint64_t rss_fields = 0;   // RTE_ETH_RSS_…; 0: no RSS
  bool rss_key = false;      // it takes kRssKey
  bool rx_checksum = false;  // its word on IPv4 header checksums counts
  bool tx_checksum = false;  // it puts in IPv4 header checksums
  bool vlan_strip = false;   // it takes 802.1Q tags off
};

// ChooseOffloads takes what the device has and the data plane uses; what is not there is done in
// software. Buffers in a chain are asked for only when a frame does not fit one.
Offloads ChooseOffloads(const rte_eth_dev_info& info, const OffloadWishes& wishes);

// RedirectionTable is the RSS redirection table of a device with `size` places: as WorkerChoice
// counts on, repeated in a longer one. A shorter one cannot follow, and packets arrive by hand-over.
std::vector<rte_eth_rss_reta_entry64> RedirectionTable(uint16_t size, unsigned num_queues);

}  // namespace culvert::dataplane
