// How far ahead a frame is: the coherency count wraps after 4096 frames, the GRE sequence number
// that carried it tells how often it has (RFC 3078 s8.1 gives up there).
#pragma once

#include <cstdint>

#include "dataplane/call/call.h"
#include "dataplane/packet/drop_reason.h"

namespace culvert::dataplane::mppe {

constexpr uint32_t kCounts = 4096;      // coherency counts there are
constexpr uint16_t kMaxForward = 2048;  // a count further ahead is one behind

// FindDistance gives in `distance` how many frames the one with this count and sequence number lies
// after the last accepted one, at least 1, or says why there is no answer. O(1).
DropReason FindDistance(const MppeState& state, uint32_t sequence, uint16_t count,
                        uint32_t* distance);

}  // namespace culvert::dataplane::mppe
