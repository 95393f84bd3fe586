#include "dataplane/mppe/send.h"

#include "proto/wire/ppp.h"

namespace culvert::dataplane::mppe {

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
  const auto count = static_cast<uint16_t>(state->position++ & wire::ppp::mppe::kCountMask);
  return static_cast<uint16_t>(wire::ppp::mppe::kFlushed | wire::ppp::mppe::kEncrypted | count);
}

void Sender::Run(Engine* engine) {
  engine->Run(std::span(jobs_).first(num_planned_));
  for (unsigned i = 0; i < num_planned_; ++i) {
    states_[i]->session_key = jobs_[i].key;
    states_[i]->last_job = 0;
    jobs_[i].key = {};
  }
  num_planned_ = 0;
}

}  // namespace culvert::dataplane::mppe
