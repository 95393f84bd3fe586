// SinkCalls: what a sink knows of the calls whose packets it gets. One thread.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>

#include "tools/load/packet/order.h"
#include "tools/load/packet/probe.h"

namespace culvert::load {

class SinkCalls {
 public:
  struct Call {
    SinkCounts counts;
    Order order;
    uint32_t next_answer = 0;  // sequence number
    uint64_t seen_ms = 0;
  };
  // After a call's last packet. It may be dialled again, or send once in 1000 s, and its counts go
  // on then; they go sooner when there is no room.
  static constexpr uint64_t kForgetMs = 3'600'000, kForgetFullMs = 120'000;
  static constexpr size_t kMaxCalls = 1'000'000;  // more are not answered

  // Take counts a kData or kAsk of `payload_len` octets. nullptr: there are too many calls.
  // The call is good until the next Take or Forget.
  Call* Take(const Probe& probe, size_t payload_len, uint64_t now_ms);
  // TakeCorrupted counts a damaged probe, for the call that its header names if there is one.
  void TakeCorrupted(const Probe& probe);
  void CountAnswers(Call* call, uint32_t packets, uint64_t octets);
  // Forget drops calls that have been silent for kForgetMs, or kForgetFullMs. Looks at all calls.
  void Forget(uint64_t now_ms);

  [[nodiscard]] size_t size() const { return calls_.size(); }
  [[nodiscard]] const SinkCounts& total() const { return total_; }

 private:
  absl::flat_hash_map<uint64_t, Call> calls_;  // run << 32 | call
  SinkCounts total_;
};

}  // namespace culvert::load
