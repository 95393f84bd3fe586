#include "dataplane/mppe/receive.h"

#include <algorithm>

#include "dataplane/mppe/rc4.h"
#include "dataplane/mppe/wipe.h"
#include "proto/wire/byte_order.h"
#include "proto/wire/ppp.h"

namespace culvert::dataplane::mppe {
namespace {

constexpr uint16_t kHeaderLen = 2;
constexpr uint32_t kCounts = 4096;
constexpr uint16_t kMaxForward = 2048;  // a count further ahead is one behind

// KeyChanges gives how many changes lie before this frame's key, or why there is no answer.
// The count alone is ambiguous after 2048 losses, but each frame took a GRE number as well:
// at most as many frames are missing as numbers are, those not seen with other frames.
DropReason KeyChanges(const MppeState& state, uint32_t sequence, uint16_t count,
                      uint32_t* changes) {
  const auto distance = static_cast<uint16_t>((count - state.count) & wire::ppp::mppe::kCountMask);
  *changes = distance + 1U;
  if (state.has_sequence == 0) {
    return distance > kMaxForward ? DropReason::mppe_late : DropReason::kCount;
  }
  const uint32_t numbers = sequence - state.last_sequence;
  const uint32_t missing = numbers - state.num_others;
  if (distance > kMaxForward && missing <= kMaxForward) {
    return DropReason::mppe_late;
  }
  if (*changes > numbers) {
    return DropReason::mppe_count;
  }
  if (*changes > missing) {
    // Forged frames took numbers that the client's own then came late with: they stand among the
    // others, and without this the call would stay deaf.
    return DropReason::kCount;
  }
  *changes += kCounts * ((missing - *changes) / kCounts);
  return DropReason::kCount;
}

bool Spend(MppeState* state, uint32_t changes, uint32_t now_ms) {
  const uint64_t refill =
      static_cast<uint64_t>(now_ms - state->budget_ms) * kKeyBudgetPerSecond / 1000;
  if (refill > 0) {
    state->key_budget =
        static_cast<uint32_t>(std::min<uint64_t>(kKeyBudget, state->key_budget + refill));
    state->budget_ms = now_ms;
  }
  if (changes - 1 > state->key_budget) {
    return false;
  }
  state->key_budget -= changes - 1;
  return true;
}

// IsPlausible: would a peer encrypt this? An IP packet shows by its header; other data protocols
// only count with both octets, since a random octet is often a compressed protocol.
bool IsPlausible(const wire::ppp::Frame& frame, size_t protocol_len) {
  const wire::Octets information = frame.information;
  switch (frame.protocol) {
    case wire::ppp::kIpv4:
      return information.size() >= 20 && information[0] >> 4 == 4 && (information[0] & 0x0f) >= 5 &&
             wire::LoadBe16(&information[2]) <= information.size();
    case wire::ppp::kIpv6:
      return information.size() >= 40 && information[0] >> 4 == 6 &&
             wire::LoadBe16(&information[4]) + 40U <= information.size();
    default:
      return protocol_len == 2 && frame.protocol >= wire::ppp::kIpv4 && frame.protocol <= 0x00fa;
  }
}

}  // namespace

Opened Open(const Sha1& sha1, MppeState* state, uint32_t sequence, uint32_t now_ms,
            std::span<uint8_t> frame) {
  if (frame.size() <= kHeaderLen) {
    return {DropReason::mppe_truncated};
  }
  const uint16_t header = wire::LoadBe16(frame.data());
  if ((header & wire::ppp::mppe::kEncrypted) == 0) {
    return {DropReason::mppe_not_encrypted};
  }
  if ((header & wire::ppp::mppe::kFlushed) == 0) {
    return {DropReason::mppe_not_flushed};
  }
  const uint16_t count = header & wire::ppp::mppe::kCountMask;
  uint32_t changes = 0;
  const DropReason error = KeyChanges(*state, sequence, count, &changes);
  if (error != DropReason::kCount) {
    return {error};
  }
  if (!Spend(state, changes, now_ms)) {
    return {DropReason::mppe_key_budget};
  }
  Key key = state->session_key;
  for (uint32_t i = 0; i < changes; ++i) {
    NextKey(sha1, state->start_key, state->bits, &key);
  }
  const std::span<uint8_t> text = frame.subspan(kHeaderLen);
  Rc4({key.data(), KeyLen(state->bits)}).Crypt(text);
  // FF 03 never stands inside: the frame begins at its protocol field.
  const auto inner = text[0] == 0xff ? tl::unexpected(wire::ppp::Error::kBadProtocol)
                                     : wire::ppp::ParseFrame(text);
  Opened opened{DropReason::mppe_implausible};
  if (inner && IsPlausible(*inner, text.size() - inner->information.size())) {
    opened = {DropReason::kCount, inner->protocol,
              static_cast<uint16_t>(frame.size() - inner->information.size())};
    state->session_key = key;
    state->count = static_cast<uint16_t>((count + 1) & wire::ppp::mppe::kCountMask);
    state->last_sequence = sequence;
    state->has_sequence = 1;
    state->num_others = 0;
  }
  Wipe(key.data(), key.size());
  return opened;
}

}  // namespace culvert::dataplane::mppe
