// Adjacencies: next hops on Ethernet. An adjacency is immutable; a change publishes a new object in
// its slot and retires the old one when no worker can hold it any more (RCU, quiescent states).
#pragma once

#include <absl/status/statusor.h>
#include <rte_rcu_qsbr.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "dataplane/datapath.h"

namespace culvert::dataplane {

constexpr uint16_t kEthernetHeaderLen = 14;
constexpr uint16_t kVlanTagLen = 4;

struct EthernetAdjacency {
  bool resolved = false;
  uint16_t port = 0;
  uint16_t mtu = 0;
  uint32_t address = 0;         // of the next hop, host order
  Ipv6Number ipv6_address = 0;  // the same for IPv6
  // When resolved; with a VLAN tag on sub-ports.
  uint16_t header_len = 0;
  std::array<uint8_t, kEthernetHeaderLen + kVlanTagLen> header{};
};

class AdjacencyTable {
 public:
  static absl::StatusOr<std::unique_ptr<AdjacencyTable>> Create(unsigned num_workers);
  ~AdjacencyTable();
  AdjacencyTable(const AdjacencyTable&) = delete;
  AdjacencyTable& operator=(const AdjacencyTable&) = delete;

  // Workers: Get borrows until the worker's next ReportQuiescent.
  [[nodiscard]] const EthernetAdjacency& Get(uint32_t slot) const {
    return *slots_[slot].load(std::memory_order_acquire);
  }
  void ReportQuiescent(unsigned worker) { rte_rcu_qsbr_quiescent(qsbr_, worker); }
  // A worker that sleeps or has ended is offline: nothing waits for it.
  void GoOnline(unsigned worker) { rte_rcu_qsbr_thread_online(qsbr_, worker); }
  void GoOffline(unsigned worker) { rte_rcu_qsbr_thread_offline(qsbr_, worker); }

  // qsbr is what the workers report to, for whoever else publishes to them; its functions for
  // writers are thread-safe.
  [[nodiscard]] rte_rcu_qsbr* qsbr() { return qsbr_; }

  // Control side, one thread at a time.
  // Insert gives a new slot; kFull when there is none.
  static constexpr uint32_t kFull = UINT32_MAX;
  uint32_t Insert(const EthernetAdjacency& adjacency);
  void Replace(uint32_t slot, const EthernetAdjacency& adjacency);
  // Erase frees a slot that nothing in the forwarding table points to any more.
  void Erase(uint32_t slot);

 private:
  static constexpr uint32_t kNumSlots = 65536;
  struct Retired {
    uint64_t token;
    const EthernetAdjacency* adjacency;
    bool free_slot;
    uint32_t slot;
  };

  explicit AdjacencyTable(rte_rcu_qsbr* qsbr);
  void Reclaim();

  rte_rcu_qsbr* qsbr_;
  std::vector<std::atomic<const EthernetAdjacency*>> slots_;
  std::vector<uint32_t> free_slots_;
  std::deque<Retired> retired_;
};

}  // namespace culvert::dataplane
