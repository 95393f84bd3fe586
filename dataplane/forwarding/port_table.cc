#include "dataplane/forwarding/port_table.h"

namespace culvert::dataplane {

PortTable::PortTable(std::span<const PortSpec> ports) : vlans_(ports.size()), up_(ports.size()) {
  for (uint16_t i = 0; i < ports.size(); ++i) {
    up_[i] = true;  // until somebody knows better
    if (ports[i].vlan == 0) {
      polled_.push_back(i);
    }
  }
  for (const uint16_t parent : polled_) {
    for (uint16_t i = 0; i < ports.size(); ++i) {
      if (ports[i].vlan == 0 || ports[i].dpdk_port != ports[parent].dpdk_port) {
        continue;
      }
      if (vlans_[parent] == nullptr) {
        vlans_[parent] = std::make_unique<Vlans>();
        vlans_[parent]->fill(kNoPort);
      }
      (*vlans_[parent])[ports[i].vlan % vlans_[parent]->size()] = i;
    }
  }
}

}  // namespace culvert::dataplane
