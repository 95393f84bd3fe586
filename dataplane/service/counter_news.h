// CounterNews knows what a Counters stream has told: a call that was idle for two rounds is not
// told again until it moves. So many idle calls cost the controller nothing, and it has still
// seen every rate fall to nothing. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "dataplane/datapath.h"

namespace culvert::dataplane {

class CounterNews {
 public:
  // IsNews: to be told in this round. Once a call and round.
  [[nodiscard]] bool IsNews(uint64_t handle, const CallTotals& totals) {
    ++num_seen_;
    // Totals only grow, so equal sums are equal totals.
    const uint64_t sum = totals.upstream_packets + totals.upstream_octets + totals.upstream_drops +
                         totals.downstream_packets + totals.downstream_octets +
                         totals.downstream_drops;
    Told& told = told_[handle];
    told.idle = told.round != 0 && told.sum == sum ? told.idle + (told.idle < 2 ? 1 : 0) : 0;
    told.sum = sum;
    told.round = round_;
    return told.idle < 2;
  }
  // EndRound forgets the calls that were not in it.
  void EndRound() {
    if (told_.size() != num_seen_) {
      std::erase_if(told_, [this](const auto& entry) { return entry.second.round != round_; });
    }
    num_seen_ = 0;
    round_ += round_ == UINT32_MAX ? 2 : 1;
  }

 private:
  struct Told {
    uint64_t sum = 0;
    uint32_t round = 0;  // 0: never
    uint8_t idle = 0;    // rounds without a change, at most 2
  };
  std::unordered_map<uint64_t, Told> told_;  // by handle
  size_t num_seen_ = 0;
  uint32_t round_ = 1;
};

}  // namespace culvert::dataplane
