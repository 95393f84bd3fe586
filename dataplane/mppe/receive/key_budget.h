// What a call may cost in key changes: each is as dear as decrypting a small frame.
#pragma once

#include <algorithm>
#include <cstdint>

#include "dataplane/call/call.h"

namespace culvert::dataplane::mppe {

// A frame after losses makes several key changes. A call may make this many at once, and so many
// more each second.
constexpr uint16_t kKeyBudget = 16384;
constexpr uint32_t kKeyBudgetPerSecond = 16384;

// Spend takes `changes` off the call's budget; false: it has not that many.
inline bool Spend(MppeState* state, uint32_t changes, uint32_t now_ms) {
  const uint64_t refill =
      static_cast<uint64_t>(now_ms - state->budget_ms) * kKeyBudgetPerSecond / 1000;
  if (refill > 0) {
    state->key_budget =
        static_cast<uint16_t>(std::min<uint64_t>(kKeyBudget, state->key_budget + refill));
    state->budget_ms = now_ms;
  }
  if (changes > state->key_budget) {
    return false;
  }
  state->key_budget = static_cast<uint16_t>(state->key_budget - changes);
  return true;
}

}  // namespace culvert::dataplane::mppe
