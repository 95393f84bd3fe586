#include "dataplane/mppe/receive/stateless.h"

#include <algorithm>

#include "dataplane/mppe/receive/distance.h"
#include "dataplane/mppe/receive/plausible.h"
#include "proto/wire/byte_order.h"

namespace culvert::dataplane::mppe {
namespace {

constexpr uint16_t kHeaderLen = 2;

DropReason CheckHeader(std::span<const uint8_t> frame, uint16_t* count) {
  if (frame.size() <= kHeaderLen) {
    return DropReason::mppe_truncated;
  }
  const uint16_t header = wire::LoadBe16(frame.data());
  if ((header & wire::ppp::mppe::kEncrypted) == 0) {
    return DropReason::mppe_not_encrypted;
  }
  if ((header & wire::ppp::mppe::kFlushed) == 0) {
    return DropReason::mppe_not_flushed;
  }
  *count = header & wire::ppp::mppe::kCountMask;
  return DropReason::kCount;
}

}  // namespace

// PlanKey takes the key of an earlier frame of the burst to begin from, when there is one.
void Receiver::PlanKey(const MppeState& state, const Planned& planned, StatelessJob* job) const {
  uint16_t previous = planned.previous;
  while (previous != 0 && planned_[previous - 1].distance > planned.distance) {
    previous = planned_[previous - 1].previous;  // a forged frame far ahead
  }
  if (previous != 0) {
    job->predecessor = static_cast<uint16_t>(previous - 1);
    job->changes = planned.distance - planned_[previous - 1].distance;
  } else {
    job->predecessor = kNoPredecessor;
    job->changes = planned.distance;
    job->key = state.session_key;
  }
}

// Allow is for frames after losses: may their key changes be made here and now?
DropReason Receiver::Allow(const Arrival& arrival, const Planned& planned, StatelessJob* job) {
  Key ahead_key;
  const uint32_t ahead = catch_ups_->AheadOf(*arrival.state, &ahead_key);
  if (ahead != 0 && ahead <= planned.distance && planned.distance - ahead < job->changes) {
    job->predecessor = kNoPredecessor;
    job->changes = planned.distance - ahead;
    job->key = ahead_key;
  }
  if (job->changes <= 1) {
    return DropReason::kCount;
  }
  const bool is_now = catch_ups_->TakeChanges(job->changes - 1);
  const uint32_t changes =
      is_now ? job->changes - 1
             : catch_ups_->Missing(*arrival.state, arrival.state->position + planned.distance);
  if (!Spend(arrival.state, changes, arrival.now_ms)) {
    return DropReason::mppe_key_budget;
  }
  return is_now ? DropReason::kCount : DropReason::mppe_catch_up;
}

Outcome Receiver::Plan(const Arrival& arrival) {
  MppeState* state = arrival.state;
  uint16_t count = 0;
  if (const DropReason error = CheckHeader(arrival.frame, &count); error != DropReason::kCount) {
    return {error, 0};
  }
  Planned& planned = planned_[num_planned_];
  if (const DropReason error = FindDistance(*state, arrival.sequence, count, &planned.distance);
      error != DropReason::kCount) {
    return {error, 0};
  }
  planned.previous = state->last_job;
  planned.position = state->position + planned.distance;
  StatelessJob& job = jobs_[num_planned_];
  PlanKey(*state, planned, &job);
  if (job.changes > 1) {
    if (const DropReason error = Allow(arrival, planned, &job); error != DropReason::kCount) {
      return {error, planned.position};
    }
  }
  job.start_key = &state->start_key;
  job.text = arrival.frame.data() + kHeaderLen;
  job.len = static_cast<uint16_t>(arrival.frame.size() - kHeaderLen);
  job.bits = state->bits;
  planned.state = state;
  planned.sequence = arrival.sequence;
  state->last_job = static_cast<uint16_t>(++num_planned_);
  return {DropReason::kCount, planned.position};
}

Opened Receiver::Open() {
  const Planned& planned = planned_[num_opened_];
  StatelessJob& job = jobs_[num_opened_];
  if (++num_opened_ == num_planned_) {
    num_planned_ = num_opened_ = 0;
  }
  MppeState& state = *planned.state;
  state.last_job = 0;
  Opened opened{DropReason::mppe_implausible};
  if (static_cast<int32_t>(planned.position - state.position) <= 0) {
    opened.error = DropReason::mppe_late;  // one of this burst was there before
  } else if (const auto frame = ParsePlausible({job.text, job.len}, job.len)) {
    opened = {DropReason::kCount, frame->protocol,
              static_cast<uint16_t>(kHeaderLen + job.len - frame->information.size())};
    state.session_key = job.key;
    state.position = planned.position;
    state.last_sequence = planned.sequence;
    state.has_sequence = 1;
    state.num_others = 0;
  }
  job.key = {};
  return opened;
}

}  // namespace culvert::dataplane::mppe
