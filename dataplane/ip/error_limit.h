// ErrorLimit: how many ICMP errors may leave (RFC 1812 s4.3.2.8): token buckets, one for the worker
// and one for each of many parties, so that one who asks for errors does not take all of them.
// Owner: one worker.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "dataplane/datapath.h"

namespace culvert::dataplane {

class ErrorLimit {
 public:
  explicit ErrorLimit(const IcmpErrorSpec& spec) : spec_(spec) {
    worker_.tokens = spec.per_second * kToken;
    parties_.fill({spec.per_call_per_second * kToken, 0});
  }

  // Take says whether one more error may leave now. `party` is a call's index or an address;
  // parties that share a place share its tokens. A bucket holds what comes in a second.
  bool Take(uint32_t party, uint32_t now_ms) {
    Bucket& own = parties_[(party ^ party >> 12 ^ party >> 24) % kNumParties];
    Fill(&worker_, spec_.per_second, now_ms);
    Fill(&own, spec_.per_call_per_second, now_ms);
    if (worker_.tokens < kToken || own.tokens < kToken) {
      return false;
    }
    worker_.tokens -= kToken;
    own.tokens -= kToken;
    return true;
  }

 private:
  static constexpr uint32_t kToken = 1000;  // so that a millisecond's share is a whole number
  static constexpr uint32_t kNumParties = 4096;
  struct Bucket {
    uint32_t tokens = 0;
    uint32_t filled_ms = 0;
  };

  static void Fill(Bucket* bucket, uint32_t per_second, uint32_t now_ms) {
    const uint32_t elapsed = std::min(now_ms - bucket->filled_ms, 1000U);
    bucket->filled_ms = now_ms;
    bucket->tokens = std::min(bucket->tokens + elapsed * per_second, per_second * kToken);
  }

  IcmpErrorSpec spec_;
  Bucket worker_;
  std::array<Bucket, kNumParties> parties_;
};

}  // namespace culvert::dataplane
