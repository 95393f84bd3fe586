#include "dataplane/mppe/receive/stateful.h"

#include <algorithm>

#include "dataplane/mppe/receive/distance.h"
#include "dataplane/mppe/receive/plausible.h"
#include "dataplane/mppe/wipe.h"
#include "proto/wire/byte_order.h"

namespace culvert::dataplane::mppe {
namespace {

constexpr uint16_t kHeaderLen = 2;
constexpr uint32_t kFlag = 0xff;    // low octet of the counts whose frames have a new key
constexpr uint32_t kMaxFlags = 96;  // missed with one loss: 24,000 frames
constexpr uint32_t kMaxResets = 6;  // key changes looked for beyond those
constexpr uint32_t kResetIntervalMs = 500;
constexpr uint16_t kImplausibleInARow = 4;  // in step by the count, but not in fact

// NumFlags counts the flag frames from `position` to before `end`.
uint32_t NumFlags(uint32_t position, uint32_t end) {
  return ((end >> 8) - (position >> 8)) & 0x00ffffff;
}

// ParseIp takes IP alone: the harm of a forged frame that makes sense by chance lasts here.
auto ParseIp(std::span<const uint8_t> text, size_t len) {
  auto frame = ParsePlausible(text, len);
  const bool is_ip =
      frame && (frame->protocol == wire::ppp::kIpv4 || frame->protocol == wire::ppp::kIpv6);
  if (!is_ip) {
    frame = tl::unexpected(wire::ppp::Error::kBadProtocol);
  }
  return frame;
}

// Tries decrypts the beginning of `text` aside.
bool Tries(const Key& key, uint16_t bits, std::span<const uint8_t> text) {
  std::array<uint8_t, 48> begin;
  const size_t len = std::min(begin.size(), text.size());
  std::copy_n(text.begin(), len, begin.begin());
  Rc4({key.data(), KeyLen(bits)}).Crypt({begin.data(), len});
  return ParseIp({begin.data(), len}, text.size()).has_value();
}

}  // namespace

// FindKey: the key has changed once with each flag frame since. A flushed frame that is no flag
// frame answers a Reset-Request: Linux has changed its key then, also with answers that were lost.
bool StatefulReceiver::FindKey(const Arrival& arrival, uint32_t num_flags, bool is_flag,
                               StatefulJob* job, Planned* planned) {
  const MppeState& state = *arrival.state;
  const auto text = arrival.frame.subspan(kHeaderLen);
  const uint32_t num_more = planned->row->num_resets + (is_flag ? 0U : 1U);
  std::array<Key, kMaxResets + 2> keys;
  keys[0] = state.session_key;
  engine_->Advance(state.start_key, state.bits, num_flags, keys.data());
  for (uint32_t i = 1; i <= num_more; ++i) {
    keys[i] = keys[i - 1];
    engine_->Advance(state.start_key, state.bits, 1, &keys[i]);
  }
  // Linux's first; a peer of the RFC's is remembered.
  const uint32_t first = is_flag || planned->row->keeps_key != 0 ? 0 : 1;
  bool found = false;
  for (uint32_t i = 0; i <= num_more && !found; ++i) {
    const uint32_t at = i == 0 ? first : i == first ? 0 : i;
    if (Tries(keys[at], state.bits, text)) {
      job->key = keys[at];
      planned->keeps_key = is_flag ? planned->row->keeps_key != 0 : at == 0;
      found = true;
    }
  }
  Wipe(keys.data(), sizeof(keys));
  return found;
}

namespace {

// Far: what a count means that is further ahead than the GRE numbers allow. A peer that has been
// asked for a reset may skip counts: a Culvert does, up to the next flag frame (Sender).
DropReason Far(const StatefulRow& row, uint32_t distance, bool is_fresh) {
  if (row.num_resets == 0 || distance > kMaxForward) {
    return DropReason::mppe_count;
  }
  return is_fresh ? DropReason::kCount : DropReason::mppe_out_of_step;
}

}  // namespace

DropReason StatefulReceiver::Plan(const Arrival& arrival, StatefulRow* row) {
  MppeState* state = arrival.state;
  if (arrival.frame.size() <= kHeaderLen) {
    return DropReason::mppe_truncated;
  }
  const uint16_t header = wire::LoadBe16(arrival.frame.data());
  if ((header & wire::ppp::mppe::kEncrypted) == 0) {
    return DropReason::mppe_not_encrypted;
  }
  const uint16_t count = header & wire::ppp::mppe::kCountMask;
  const bool is_flag = (count & kFlag) == kFlag;
  const bool is_fresh = (header & wire::ppp::mppe::kFlushed) != 0 || is_flag;
  uint32_t distance = 0;
  DropReason error = FindDistance(*state, arrival.sequence, count, &distance);
  if (error == DropReason::mppe_count) {
    error = Far(*row, distance, is_fresh);
  }
  if (error != DropReason::kCount) {
    return error;
  }
  Planned& planned = planned_[num_planned_];
  planned = {state, row, state->position + distance, arrival.sequence, false, false};
  StatefulJob& job = jobs_[num_planned_];
  job.table = &row->table;
  job.text = arrival.frame.data() + kHeaderLen;
  job.len = static_cast<uint16_t>(arrival.frame.size() - kHeaderLen);
  job.key_len = 0;
  if (is_fresh) {
    const uint32_t num_flags = NumFlags(state->position, planned.position);
    // The call's own budget first, or one call's garbage would take the round's from all.
    const uint32_t changes = num_flags + row->num_resets + 1;
    if (num_flags > kMaxFlags || !Spend(state, changes, arrival.now_ms) ||
        !catch_ups_->TakeChanges(changes)) {
      return DropReason::mppe_key_budget;
    }
    if (!FindKey(arrival, num_flags, is_flag, &job, &planned)) {
      return DropReason::mppe_implausible;
    }
    planned.is_fresh = true;
  } else if (distance != 1) {
    return DropReason::mppe_out_of_step;
  } else if (row->is_scheduled == 0) {
    job.key = state->session_key;
  }
  if (planned.is_fresh || row->is_scheduled == 0) {
    job.key_len = static_cast<uint16_t>(KeyLen(state->bits));
    row->is_scheduled = 1;
  }
  state->last_job = static_cast<uint16_t>(++num_planned_);
  return DropReason::kCount;
}

Opened StatefulReceiver::Open() {
  const Planned& planned = planned_[num_opened_];
  StatefulJob& job = jobs_[num_opened_];
  if (++num_opened_ == num_planned_) {
    num_planned_ = num_opened_ = 0;
  }
  MppeState& state = *planned.state;
  state.last_job = 0;
  Opened opened{DropReason::mppe_implausible};
  if (const auto frame = ParseIp({job.text, job.len}, job.len)) {
    opened = {DropReason::kCount, frame->protocol,
              static_cast<uint16_t>(kHeaderLen + job.len - frame->information.size())};
    if (planned.is_fresh) {
      state.session_key = job.key;
      planned.row->keeps_key = planned.keeps_key ? 1 : 0;
    }
    state.position = planned.position;
    state.last_sequence = planned.sequence;
    state.has_sequence = 1;
    state.num_others = 0;
    planned.row->num_resets = 0;
  } else {
    // A forged frame has used up keystream that is the next one's.
    Rewind(job.table, job.len);
  }
  job.key = {};
  return opened;
}

bool StatefulReceiver::NeedsReset(DropReason reason, const MppeState& state, uint32_t now_ms,
                                  StatefulRow* row) {
  const bool is_lost =
      reason == DropReason::mppe_out_of_step ||
      (reason == DropReason::mppe_implausible && state.failures >= kImplausibleInARow);
  if (!is_lost || (row->num_resets > 0 && now_ms - row->reset_ms < kResetIntervalMs)) {
    return false;
  }
  row->num_resets = static_cast<uint8_t>(std::min(row->num_resets + 1U, kMaxResets));
  row->reset_ms = now_ms;
  ++row->reset_id;
  return true;
}

}  // namespace culvert::dataplane::mppe
