// PortTable: what workers know of the ports besides their PortSpec: which port a VLAN of a device
// is, and whether there is link.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/datapath.h"

namespace culvert::dataplane {

class PortTable {
 public:
  static constexpr uint16_t kNoPort = UINT16_MAX;

  // PortTable copies what it needs of `ports`. A port with a VLAN is a sub-port of the one that has
  // the same dpdk_port and none.
  explicit PortTable(std::span<const PortSpec> ports);

  // Workers. OfVlan gives the port that frames with `vlan` (0 to 4095) on the device of `parent`
  // belong to, kNoPort: none. VLAN 0 is a priority alone (IEEE 802.1Q s6.9.3): the parent itself.
  [[nodiscard]] uint16_t OfVlan(uint16_t parent, uint16_t vlan) const {
    if (vlan == 0) {
      return parent;
    }
    return vlans_[parent] == nullptr ? kNoPort : (*vlans_[parent])[vlan];
  }
  [[nodiscard]] bool IsUp(uint16_t port) const { return up_[port].load(std::memory_order_relaxed); }
  // polled is the ports with a device of their own.
  [[nodiscard]] std::span<const uint16_t> polled() const { return polled_; }

  // Control side, one thread.
  void SetUp(uint16_t port, bool up) { up_[port].store(up, std::memory_order_relaxed); }

 private:
  using Vlans = std::array<uint16_t, 4096>;

  std::vector<std::unique_ptr<Vlans>> vlans_;  // by parent; null: no sub-ports
  std::vector<std::atomic<bool>> up_;
  std::vector<uint16_t> polled_;
};

}  // namespace culvert::dataplane
