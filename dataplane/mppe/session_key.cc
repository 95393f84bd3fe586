#include "dataplane/mppe/session_key.h"

#include <algorithm>

#include "dataplane/mppe/rc4.h"
#include "dataplane/mppe/wipe.h"

namespace culvert::dataplane::mppe {
namespace {

constexpr size_t kPadLen = 40;

// GetNewKeyFromSha of RFC 3079 s3.4: SHA1(start | 40 x 00 | session | 40 x F2), cut to `len`.
Key GetNewKeyFromSha(const Sha1& sha1, const Key& start, const Key& session, size_t len) {
  std::array<uint8_t, 2 * (16 + kPadLen)> input{};
  auto at = std::copy_n(start.begin(), len, input.begin()) + kPadLen;
  at = std::copy_n(session.begin(), len, at);
  at = std::fill_n(at, kPadLen, uint8_t{0xf2});
  auto digest = sha1.Digest({input.data(), static_cast<size_t>(at - input.begin())});
  Key key{};
  std::copy_n(digest.begin(), len, key.begin());
  Wipe(input.data(), input.size());
  Wipe(digest.data(), digest.size());
  return key;
}

}  // namespace

void Reduce(uint16_t bits, Key* key) {
  constexpr uint8_t kFixed[] = {0xd1, 0x26, 0x9e};
  std::copy_n(kFixed, bits == 40 ? 3 : bits == 56 ? 1 : 0, key->begin());
  std::fill(key->begin() + KeyLen(bits), key->end(), uint8_t{0});
}

Key FirstKey(const Sha1& sha1, const Key& start_key, uint16_t bits) {
  Key key = GetNewKeyFromSha(sha1, start_key, start_key, KeyLen(bits));
  Reduce(bits, &key);
  return key;
}

void NextKey(const Sha1& sha1, const Key& start_key, uint16_t bits, Key* session_key) {
  const size_t len = KeyLen(bits);
  Key interim = GetNewKeyFromSha(sha1, start_key, *session_key, len);
  *session_key = interim;
  Rc4({interim.data(), len}).Crypt({session_key->data(), len});
  Reduce(bits, session_key);
  Wipe(interim.data(), interim.size());
}

}  // namespace culvert::dataplane::mppe
