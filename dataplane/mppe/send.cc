#include "dataplane/mppe/send.h"

#include "dataplane/mppe/rc4.h"
#include "proto/wire/ppp.h"

namespace culvert::dataplane::mppe {

uint16_t Seal(const Sha1& sha1, MppeState* state, std::span<uint8_t> text) {
  // The key changes before every packet, the first one too.
  NextKey(sha1, state->start_key, state->bits, &state->session_key);
  Rc4({state->session_key.data(), KeyLen(state->bits)}).Crypt(text);
  const uint16_t count = state->count;
  state->count = static_cast<uint16_t>((count + 1) & wire::ppp::mppe::kCountMask);
  return static_cast<uint16_t>(wire::ppp::mppe::kFlushed | wire::ppp::mppe::kEncrypted | count);
}

}  // namespace culvert::dataplane::mppe
