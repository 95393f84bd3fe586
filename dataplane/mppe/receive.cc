#include "dataplane/mppe/receive.h"

#include <algorithm>

#include "dataplane/mppe/distance.h"
#include "dataplane/mppe/plausible.h"
#include "proto/wire/byte_order.h"

namespace culvert::dataplane::mppe {
namespace {

constexpr uint16_t kHeaderLen = 2;

bool Spend(MppeState* state, uint32_t changes, uint32_t now_ms) {
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
void Receiver::PlanKey(MppeState* state, const Planned& planned, StatelessJob* job) const {
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
    job->key = state->session_key;
  }
}

DropReason Receiver::Plan(MppeState* state, uint32_t sequence, uint32_t now_ms,
                          std::span<uint8_t> frame) {
  uint16_t count = 0;
  if (const DropReason error = CheckHeader(frame, &count); error != DropReason::kCount) {
    return error;
  }
  Planned& planned = planned_[num_planned_];
  if (const DropReason error = FindDistance(*state, sequence, count, &planned.distance);
      error != DropReason::kCount) {
    return error;
  }
  planned.previous = state->last_job;
  StatelessJob& job = jobs_[num_planned_];
  PlanKey(state, planned, &job);
  if (job.changes > 1 && !Spend(state, job.changes - 1, now_ms)) {
    return DropReason::mppe_key_budget;
  }
  job.start_key = &state->start_key;
  job.text = frame.data() + kHeaderLen;
  job.len = static_cast<uint16_t>(frame.size() - kHeaderLen);
  job.bits = state->bits;
  planned.state = state;
  planned.position = state->position + planned.distance;
  planned.sequence = sequence;
  state->last_job = static_cast<uint16_t>(++num_planned_);
  return DropReason::kCount;
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
