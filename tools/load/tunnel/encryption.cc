#include "tools/load/tunnel/encryption.h"

#include <algorithm>

#include "dataplane/mppe/wipe.h"
#include "proto/wire/ppp.h"

namespace culvert::load {

namespace mppe = dataplane::mppe;
namespace header_bits = wire::ppp::mppe;

namespace {

constexpr size_t kHeaderLen = 2;
constexpr uint32_t kMaxForward = 2048;  // a count further ahead is one behind

bool StartState(const Secret& start_key, uint16_t bits, bool stateful, const mppe::Sha1& sha1,
                dataplane::MppeState* state) {
  if (start_key.octets().size() != mppe::KeyLen(bits)) {
    return false;
  }
  std::copy(start_key.octets().begin(), start_key.octets().end(), state->start_key.begin());
  state->session_key = mppe::FirstKey(sha1, state->start_key, bits);
  state->bits = static_cast<uint8_t>(bits);
  state->stateful = stateful ? 1 : 0;
  return true;
}

}  // namespace

std::unique_ptr<CallKeys> CallKeys::Create(const client_role::PppClient& ppp,
                                           const mppe::Sha1& sha1) {
  const Agreed agreed = ppp.encryption();
  const MppeStartKeys& start = ppp.keys();
  return Create(agreed, agreed.send_bits == 128 ? start.send_128 : start.send_40_56,
                agreed.receive_bits == 128 ? start.receive_128 : start.receive_40_56, sha1);
}

std::unique_ptr<CallKeys> CallKeys::Create(const Agreed& agreed, const Secret& send_key,
                                           const Secret& receive_key, const mppe::Sha1& sha1) {
  std::unique_ptr<CallKeys> keys(new CallKeys);
  keys->epoch_ = agreed.epoch;
  if (agreed.send_bits == 0 || agreed.receive_bits == 0 ||
      !StartState(send_key, agreed.send_bits, agreed.send_stateful, sha1, &keys->send_) ||
      !StartState(receive_key, agreed.receive_bits, agreed.receive_stateful, sha1,
                  &keys->receive_)) {
    return nullptr;
  }
  if (agreed.send_stateful || agreed.receive_stateful) {
    keys->rows_ = std::make_unique<Rows>();
  }
  return keys;
}

CallKeys::~CallKeys() {
  mppe::Wipe(&send_, sizeof send_);
  mppe::Wipe(&receive_, sizeof receive_);
  if (rows_ != nullptr) {
    mppe::Wipe(rows_.get(), sizeof *rows_);
  }
}

std::unique_ptr<Encryption> Encryption::Create() {
  std::unique_ptr<mppe::Engine> engine = mppe::Engine::Create();
  std::unique_ptr<mppe::Sha1> sha1 = mppe::Sha1::Create();
  if (engine == nullptr || sha1 == nullptr) {
    return nullptr;
  }
  return std::unique_ptr<Encryption>(new Encryption(std::move(engine), std::move(sha1)));
}

void Encryption::Seal(CallKeys* keys, uint8_t* header, std::span<uint8_t> text) {
  // A Reset-Request was answered before this batch: any round but that of AskForFlush.
  constexpr uint32_t kRound = 1;
  const uint16_t word = keys->send_.stateful != 0
                            ? sender_.PlanStateful(&keys->send_, &keys->rows_->send, kRound, text)
                            : sender_.Plan(&keys->send_, text);
  wire::StoreBe16(header, word);
}

void Encryption::Flush(CallKeys* keys) {
  if (keys->rows_ != nullptr) {
    mppe::Sender::AskForFlush(/*round=*/0, &keys->rows_->send);
  }
}

Encryption::Planned Encryption::Open(CallKeys* keys, std::span<uint8_t> frame) {
  if (frame.size() <= kHeaderLen) {
    return Planned::kMalformed;
  }
  const uint16_t header = wire::LoadBe16(frame.data());
  if ((header & header_bits::kEncrypted) == 0) {
    return Planned::kMalformed;
  }
  const std::span<uint8_t> text = frame.subspan(kHeaderLen);
  dataplane::MppeState& state = keys->receive_;
  if (state.stateful != 0) {
    return OpenStateful(keys, header, text);
  }
  const uint32_t missed =
      ((header & header_bits::kCountMask) - state.position) & header_bits::kCountMask;
  if (missed >= kMaxForward) {
    return Planned::kLate;
  }
  mppe::StatelessJob& job = jobs_[num_jobs_];
  job = {.start_key = &state.start_key,
         .key = state.session_key,
         .text = text.data(),
         .changes = missed + 1,
         .len = static_cast<uint16_t>(text.size()),
         .bits = state.bits,
         .predecessor = mppe::kNoPredecessor};
  if (state.last_job != 0) {
    job.predecessor = static_cast<uint16_t>(state.last_job - 1);
  }
  states_[num_jobs_] = &state;
  state.last_job = static_cast<uint16_t>(++num_jobs_);
  state.position += missed + 1;
  return Planned::kYes;
}

// RFC 3078 s8.2 with Linux's reading: every flushed frame has a new key.
Encryption::Planned Encryption::OpenStateful(CallKeys* keys, uint16_t header,
                                             std::span<uint8_t> text) {
  constexpr uint32_t kFlagEvery = 256;
  dataplane::MppeState& state = keys->receive_;
  const bool flushed = (header & header_bits::kFlushed) != 0;
  const uint32_t count = header & header_bits::kCountMask;
  if (count != (state.position & header_bits::kCountMask) && !keys->discards_) {
    keys->discards_ = keys->wants_reset_ = true;
  }
  if (keys->discards_ && !flushed) {
    return Planned::kDiscarded;
  }
  if (keys->discards_) {  // keys of the flag frames that were missed, this one apart
    while ((count & ~(kFlagEvery - 1)) !=
           (state.position & header_bits::kCountMask & ~(kFlagEvery - 1))) {
      engine_->Advance(state.start_key, state.bits, 1, &state.session_key);
      state.position += kFlagEvery;
    }
    keys->discards_ = false;
  }
  mppe::StatefulRow& row = keys->rows_->receive;
  mppe::StatefulJob& job = stateful_jobs_[num_stateful_++];
  job = {.table = &row.table,
         .text = text.data(),
         .len = static_cast<uint16_t>(text.size()),
         .key_len = 0,
         .key = {}};
  if (flushed) {
    engine_->Advance(state.start_key, state.bits, 1, &state.session_key);
  }
  if (flushed || row.is_scheduled == 0) {
    job.key_len = static_cast<uint16_t>(mppe::KeyLen(state.bits));
    job.key = state.session_key;
    row.is_scheduled = 1;
  }
  state.position = count + 1;
  return Planned::kYes;
}

void Encryption::RunReceive() {
  engine_->Run(std::span(jobs_).first(num_jobs_));
  for (unsigned i = 0; i < num_jobs_; ++i) {
    states_[i]->session_key = jobs_[i].key;
    states_[i]->last_job = 0;
    jobs_[i].key = {};
  }
  num_jobs_ = 0;
  engine_->Run(std::span(stateful_jobs_).first(num_stateful_));
  for (unsigned i = 0; i < num_stateful_; ++i) {
    stateful_jobs_[i].key = {};
  }
  num_stateful_ = 0;
}

}  // namespace culvert::load
