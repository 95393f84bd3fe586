// The receiver of stateless MPPE (RFC 3078 s3.1, s7.1, s8.1).
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/call/call.h"
#include "dataplane/mppe/sha1.h"
#include "dataplane/packet/drop_reason.h"

namespace culvert::dataplane::mppe {

// A packet after losses makes several key changes, each as dear as decrypting a small packet. A
// call may make this many at once, and so many more each second.
constexpr uint32_t kKeyBudget = 16384;
constexpr uint32_t kKeyBudgetPerSecond = 1024;

struct Opened {
  DropReason error = DropReason::kCount;  // kCount: none
  uint16_t protocol = 0;                  // of the frame that was inside
  uint16_t information_offset = 0;        // its information, from the start of the MPPE frame
};

// Open decrypts `frame` (from the two header octets on) in place. `sequence` is the GRE sequence
// number that carried it: it tells how often the 12-bit count has wrapped. `state` changes only
// when the decrypted frame is plausible, so garbage cannot put the keys out of step.
Opened Open(const Sha1& sha1, MppeState* state, uint32_t sequence, uint32_t now_ms,
            std::span<uint8_t> frame);

}  // namespace culvert::dataplane::mppe
