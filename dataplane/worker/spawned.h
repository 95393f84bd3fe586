// Spawned: packets that a step made (acknowledgements, fragments, ICMP errors) or released after it
// had held them. The loop runs them right behind the packet whose step spawned them, in order.
#pragma once

#include <rte_mbuf.h>

#include "dataplane/packet/packet.h"

namespace culvert::dataplane {

class Spawned {
 public:
  // What one step may spawn; a step that could exceed it asks Room() first.
  static constexpr unsigned kSize = 128;

  [[nodiscard]] unsigned Room() const { return kSize - num_; }
  // Put takes the packet. Without room it is freed and counted in num_lost().
  void Put(Stage stage, Packet* packet) {
    if (num_ == kSize) {
      rte_pktmbuf_free(packet->mbuf());
      ++num_lost_;
      return;
    }
    entries_[num_++] = {packet, stage};
  }

  // The loop's side: while (Take(...)) run it.
  bool Take(Stage* stage, Packet** packet) {
    if (next_ == num_) {
      next_ = num_ = 0;
      return false;
    }
    *stage = entries_[next_].stage;
    *packet = entries_[next_++].packet;
    return true;
  }
  [[nodiscard]] bool empty() const { return num_ == 0; }
  [[nodiscard]] unsigned num() const { return num_ - next_; }
  // TakeLost gives how many found no room since it was asked last.
  unsigned TakeLost() {
    const unsigned lost = num_lost_;
    num_lost_ = 0;
    return lost;
  }

 private:
  struct Entry {
    Packet* packet;
    Stage stage;
  };
  Entry entries_[kSize];
  unsigned num_ = 0;
  unsigned next_ = 0;
  unsigned num_lost_ = 0;
};

}  // namespace culvert::dataplane
