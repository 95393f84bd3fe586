#include "tools/bench_dataplane/sealer.h"

#include "proto/wire/ppp.h"

namespace culvert::bench {

namespace mppe = dataplane::mppe;

namespace {

constexpr uint16_t kBits = 128;

}  // namespace

Sealer::Sealer() : engine_(mppe::Engine::Create()), sha1_(mppe::Sha1::Create()) {}

void Sealer::Start(SealState* state, const mppe::Key& start_key) const {
  state->start_key = start_key;
  state->key = mppe::FirstKey(*sha1_, start_key, kBits);
}

uint16_t Sealer::Seal(SealState* state, uint8_t* text, uint16_t len) {
  if (num_jobs_ == kMaxJobs) {
    Flush();
  }
  jobs_[num_jobs_] = {&state->start_key, state->key, text, 1, len, kBits, state->pending};
  states_[num_jobs_] = state;
  state->pending = static_cast<uint16_t>(num_jobs_++);
  const uint16_t count = state->count;
  state->count = (count + 1) & wire::ppp::mppe::kCountMask;
  return static_cast<uint16_t>(wire::ppp::mppe::kFlushed | wire::ppp::mppe::kEncrypted | count);
}

void Sealer::Flush() {
  engine_->Run(std::span(jobs_.data(), num_jobs_));
  for (size_t i = 0; i < num_jobs_; ++i) {
    states_[i]->key = jobs_[i].key;  // the latest one stays
    states_[i]->pending = mppe::kNoPredecessor;
  }
  num_jobs_ = 0;
}

}  // namespace culvert::bench
