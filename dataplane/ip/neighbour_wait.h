// NeighbourWait: the first packets to a next hop whose Ethernet address is being asked for (RFC
// 1122 s2.3.2.2). A few for each next hop, not many altogether, and not for long. Owner: one
// worker.
#pragma once

#include <rte_mbuf.h>

#include <array>
#include <cstdint>

#include "dataplane/packet/packet.h"

namespace culvert::dataplane {

class NeighbourWait {
 public:
  static constexpr unsigned kMaxPackets = 64;
  static constexpr unsigned kMaxPerHop = 4;

  explicit NeighbourWait(uint32_t wait_ms) : wait_ms_(wait_ms) {}
  ~NeighbourWait() {
    for (unsigned i = 0; i < num_; ++i) {
      rte_pktmbuf_free(entries_[i].packet->mbuf());
    }
  }
  NeighbourWait(const NeighbourWait&) = delete;
  NeighbourWait& operator=(const NeighbourWait&) = delete;

  // Hold keeps the packet for the host `address` on `port`; false: there is no room for it.
  bool Hold(Packet& packet, uint16_t port, uint32_t address, uint32_t now_ms) {
    const uint64_t hop = static_cast<uint64_t>(port) << 32 | address;
    unsigned num_of_hop = 0;
    for (unsigned i = 0; i < num_; ++i) {
      num_of_hop += entries_[i].hop == hop ? 1 : 0;
    }
    if (wait_ms_ == 0 || num_ == kMaxPackets || num_of_hop == kMaxPerHop) {
      return false;
    }
    entries_[num_++] = {&packet, hop, now_ms};
    return true;
  }

  // Poll calls look(packet, expired) for each packet, the oldest first; what it returns true for is
  // no longer kept here.
  template <typename F>
  void Poll(uint32_t now_ms, F&& look) {
    unsigned kept = 0;
    for (unsigned i = 0; i < num_; ++i) {
      if (!look(*entries_[i].packet, now_ms - entries_[i].since_ms >= wait_ms_)) {
        entries_[kept++] = entries_[i];
      }
    }
    num_ = kept;
  }
  [[nodiscard]] unsigned num_held() const { return num_; }

 private:
  struct Entry {
    Packet* packet;
    uint64_t hop;
    uint32_t since_ms;
  };
  std::array<Entry, kMaxPackets> entries_;
  unsigned num_ = 0;
  uint32_t wait_ms_;
};

}  // namespace culvert::dataplane
