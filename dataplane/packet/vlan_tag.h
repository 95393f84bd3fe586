// The tag of a sub-port's frames.
#pragma once

#include <rte_mbuf.h>

#include <cstring>

#include "dataplane/datapath.h"
#include "dataplane/forwarding/adjacency.h"
#include "proto/wire/byte_order.h"

namespace culvert::dataplane {

// AddTag puts the tag of a sub-port into an Ethernet frame; false: there is no room.
inline bool AddTag(uint16_t vlan, rte_mbuf* frame) {
  if (vlan == 0) {
    return true;
  }
  if (rte_pktmbuf_data_len(frame) < kEthernetHeaderLen) {
    return false;
  }
  auto* data = reinterpret_cast<uint8_t*>(rte_pktmbuf_prepend(frame, kVlanTagLen));
  if (data == nullptr) {
    return false;
  }
  std::memmove(data, data + kVlanTagLen, 2 * sizeof(MacAddress));
  wire::StoreBe16(data + 12, 0x8100);  // IEEE 802.1Q, priority 0
  wire::StoreBe16(data + 14, vlan);
  return true;
}

}  // namespace culvert::dataplane
