#include "dataplane/port/offloads.h"

#include "dataplane/call/worker_choice.h"
#include "dataplane/datapath.h"

namespace culvert::dataplane {
namespace {

// The hash is to see the address pair only: GRE has no ports, and the calls of one client must
// not be torn apart.
constexpr uint64_t kRssFields =
    RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_OTHER;
constexpr uint32_t kFrameOverhead = 22;  // Ethernet with two VLAN tags

// Takes `offload` when the device has it.
bool Take(uint64_t capabilities, uint64_t offload, uint64_t* taken) {
  if ((capabilities & offload) == 0) return false;
  *taken |= offload;
  return true;
}

}  // namespace

Offloads ChooseOffloads(const rte_eth_dev_info& info, const OffloadWishes& wishes) {
  Offloads offloads;
  if (wishes.num_queues > 1) {
    offloads.rss_fields = info.flow_type_rss_offloads & kRssFields;
    // A device with a key of another length keeps its own: packets then arrive by hand-over.
    offloads.rss_key = offloads.rss_fields != 0 && info.hash_key_size == kRssKey.size();
  }
  if (wishes.mtu + kFrameOverhead > wishes.data_room) {
    Take(info.rx_offload_capa, RTE_ETH_RX_OFFLOAD_SCATTER, &offloads.rx);
  }
  if (!wishes.allowed) return offloads;
  offloads.rx_checksum = Take(info.rx_offload_capa, RTE_ETH_RX_OFFLOAD_IPV4_CKSUM, &offloads.rx);
  offloads.tx_checksum = Take(info.tx_offload_capa, RTE_ETH_TX_OFFLOAD_IPV4_CKSUM, &offloads.tx);
  offloads.vlan_strip =
      wishes.has_vlans && Take(info.rx_offload_capa, RTE_ETH_RX_OFFLOAD_VLAN_STRIP, &offloads.rx);
  return offloads;
}

std::vector<rte_eth_rss_reta_entry64> RedirectionTable(uint16_t size, unsigned num_queues) {
  std::vector<rte_eth_rss_reta_entry64> groups((size + RTE_ETH_RETA_GROUP_SIZE - 1U) /
                                               RTE_ETH_RETA_GROUP_SIZE);
  for (unsigned place = 0; place < size; ++place) {
    rte_eth_rss_reta_entry64& group = groups[place / RTE_ETH_RETA_GROUP_SIZE];
    group.mask |= uint64_t{1} << (place % RTE_ETH_RETA_GROUP_SIZE);
    group.reta[place % RTE_ETH_RETA_GROUP_SIZE] =
        static_cast<uint16_t>(place % WorkerChoice::kTableLen % num_queues);
  }
  return groups;
}

}  // namespace culvert::dataplane
