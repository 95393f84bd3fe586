#include "dataplane/mppe/send.h"

#include <algorithm>

#include "proto/wire/ppp.h"

namespace culvert::dataplane::mppe {
namespace {

constexpr uint32_t kFlag = 0xff;  // low octet of the counts whose frames have a new key

// NextHeader counts the frame.
uint16_t NextHeader(MppeState* state, uint16_t flushed) {
  const auto count = static_cast<uint16_t>(state->position++ & wire::ppp::mppe::kCountMask);
  return static_cast<uint16_t>(flushed | wire::ppp::mppe::kEncrypted | count);
}

}  // namespace

uint16_t Sender::Plan(MppeState* state, std::span<uint8_t> text) {
  StatelessJob& job = jobs_[num_planned_];
  job.start_key = &state->start_key;
  job.text = text.data();
  job.len = static_cast<uint16_t>(text.size());
  job.bits = state->bits;
  job.changes = 1;  // before every frame, the first one too
  if (state->last_job != 0) {
    job.predecessor = static_cast<uint16_t>(state->last_job - 1);
  } else {
    job.predecessor = kNoPredecessor;
    job.key = state->session_key;
  }
  states_[num_planned_] = state;
  state->last_job = static_cast<uint16_t>(++num_planned_);
  return NextHeader(state, wire::ppp::mppe::kFlushed);
}

// DEVIATION: RFC 3078 s8.2 answers a Reset-Request with the current key. Linux changes its key
// before every flushed frame, and the RFC's receivers only before flag frames. So the answer is a
// flag frame, the next there is: up to 255 counts are skipped, which a receiver that has asked
// takes as losses. Both then change their key once. The bit stands on every flag frame because
// Linux wants it there; a frame of that kind that is lost costs neither of them its place.
uint16_t Sender::PlanStateful(MppeState* state, StatefulRow* row, uint32_t round,
                              std::span<uint8_t> text) {
  if (row->flush != 0 && row->flush_round != round) {
    row->flush = 0;
    state->position |= kFlag;
  }
  const bool is_flag = (state->position & kFlag) == kFlag;
  StatefulJob& job = stateful_jobs_[num_stateful_++];
  job.table = &row->table;
  job.text = text.data();
  job.len = static_cast<uint16_t>(text.size());
  job.key_len = 0;
  if (is_flag) {
    engine_->Advance(state->start_key, state->bits, 1, &state->session_key);
  }
  if (is_flag || row->is_scheduled == 0) {
    job.key_len = static_cast<uint16_t>(KeyLen(state->bits));
    job.key = state->session_key;
    row->is_scheduled = 1;
  }
  return NextHeader(state, is_flag ? wire::ppp::mppe::kFlushed : 0);
}

// What a try comes to is known at the end of its round.
bool Sender::MayTry(uint32_t now_ms, MppeState* state) {
  constexpr unsigned kMaxDoublings = 10;
  const uint32_t since = now_ms - state->failed_ms;
  if (state->tries != 0) {
    if (since == 0) {
      return false;
    }
    state->tries = 0;
    state->failures = 0;
    return true;
  }
  if (since < 1U << std::min<unsigned>(state->failures - kMaxLost, kMaxDoublings)) {
    return false;
  }
  state->tries = 1;
  state->failed_ms = now_ms;
  return true;
}

void Sender::NoteLost(uint32_t now_ms, MppeState* state) {
  constexpr uint32_t kInARowMs = 100;
  if (state->failures < kMaxLost && now_ms - state->failed_ms > kInARowMs) {
    state->failures = 0;
  }
  state->failures = static_cast<uint16_t>(std::min(state->failures + 1, UINT16_MAX));
  state->failed_ms = now_ms;
  state->tries = 0;
}

void Sender::Run() {
  engine_->Run(std::span(jobs_).first(num_planned_));
  for (unsigned i = 0; i < num_planned_; ++i) {
    states_[i]->session_key = jobs_[i].key;
    states_[i]->last_job = 0;
    jobs_[i].key = {};
  }
  num_planned_ = 0;
  if (num_stateful_ > 0) {
    engine_->Run(std::span(stateful_jobs_).first(num_stateful_));
    for (unsigned i = 0; i < num_stateful_; ++i) {
      stateful_jobs_[i].key = {};
    }
    num_stateful_ = 0;
  }
}

}  // namespace culvert::dataplane::mppe
