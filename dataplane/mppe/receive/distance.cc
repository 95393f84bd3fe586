#include "dataplane/mppe/receive/distance.h"

#include "proto/wire/ppp.h"

namespace culvert::dataplane::mppe {

DropReason FindDistance(const MppeState& state, uint32_t sequence, uint16_t count,
                        uint32_t* distance) {
  const auto ahead = static_cast<uint16_t>((count - state.position) & wire::ppp::mppe::kCountMask);
  const uint32_t frames = ahead + 1U;
  *distance = frames;
  if (state.has_sequence == 0) {
    return ahead > kMaxForward ? DropReason::mppe_late : DropReason::kCount;
  }
  // Each frame took a GRE number as well: at most as many frames are missing as numbers are, those
  // not seen with other frames.
  const uint32_t numbers = sequence - state.last_sequence;
  const uint32_t missing = numbers - state.num_others;
  if (ahead > kMaxForward && missing <= kMaxForward) {
    return DropReason::mppe_late;
  }
  if (frames > numbers) {
    return DropReason::mppe_count;
  }
  // Forged frames may have taken numbers that the client's own then came late with: they stand
  // among the others, and without the second half of this the call would stay deaf.
  if (frames <= missing && missing <= numbers) {
    *distance += kCounts * ((missing - frames) / kCounts);
  }
  return DropReason::kCount;
}

}  // namespace culvert::dataplane::mppe
