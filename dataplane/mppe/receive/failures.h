// When a call's MPPE counts as broken: the two sides no longer have the same key (or it is not the
// peer who sends), and only a new CCP negotiation mends that.
#pragma once

#include <algorithm>

#include "dataplane/call/call.h"
#include "dataplane/packet/drop_reason.h"

namespace culvert::dataplane::mppe {

// That many frames in a row that could not be decrypted, less than what GRE takes for a jump
// (Linux has 1600); or fewer over a while.
constexpr uint16_t kManyFailures = 1000;
constexpr uint16_t kSomeFailures = 64;
constexpr uint32_t kFailingMs = 10000;

// CountFailure counts a frame that could not be decrypted; a sound one sets `failures` to 0.
inline void CountFailure(DropReason reason, uint32_t now_ms, MppeState* state) {
  if (reason == DropReason::mppe_no_key) {
    return;
  }
  if (state->failures == 0) {
    state->failed_ms = now_ms;
  }
  state->failures = static_cast<uint16_t>(std::min(state->failures + 1, UINT16_MAX));
}

// HasFailed says whether it is time to tell the control plane.
inline bool HasFailed(const MppeState& state, uint32_t now_ms) {
  return state.failures >= kManyFailures ||
         (state.failures >= kSomeFailures && now_ms - state.failed_ms >= kFailingMs);
}

}  // namespace culvert::dataplane::mppe
