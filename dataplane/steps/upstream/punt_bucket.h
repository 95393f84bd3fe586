// The bucket that a call's control frames go through, whoever answers them.
#pragma once

#include <algorithm>

#include "dataplane/worker/context.h"

namespace culvert::dataplane {

// TakePuntToken: a bucket of one second's worth, so that one peer cannot keep the control plane or
// the worker from the others.
inline bool TakePuntToken(Call* call, const WorkerContext& context) {
  constexpr uint32_t kTokensPerFrame = 1000;
  const uint32_t full = context.punt_rate * kTokensPerFrame;
  const uint64_t refill =
      static_cast<uint64_t>(context.now_ms - call->more().punt_ms) * context.punt_rate;
  call->more().punt_tokens =
      static_cast<uint32_t>(std::min<uint64_t>(full, call->more().punt_tokens + refill));
  call->more().punt_ms = context.now_ms;
  if (call->more().punt_tokens < kTokensPerFrame) {
    return false;
  }
  call->more().punt_tokens -= kTokensPerFrame;
  return true;
}

}  // namespace culvert::dataplane
