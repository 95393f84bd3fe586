#include "controlplane/radius/hiding.h"

#include <algorithm>
#include <array>

#include "controlplane/crypto/primitives.h"

namespace culvert::radius {

namespace {

constexpr size_t kBlock = 16;
constexpr size_t kSaltLen = 2;
constexpr size_t kMaxPasswordLen = 128;
constexpr size_t kMaxKeyLen =
    238;  // 1 + 238 + 1 of padding: 15 blocks, all that an attribute takes
constexpr size_t kLmKeyLen = 8, kNtKeyLen = 16, kChapKeysLen = 32;

enum class Direction : uint8_t { kHide, kReveal };

// Mix xors each block with MD5(secret, hidden block before it); the first with MD5(secret, `iv`).
std::vector<uint8_t> Mix(Octets in, Octets secret, std::initializer_list<Octets> iv,
                         Direction direction) {
  std::vector<uint8_t> out(in.size());
  for (size_t at = 0; at < in.size(); at += kBlock) {
    const Octets hidden = direction == Direction::kHide ? Octets(out) : in;
    const Secret pad = at == 0
                           ? (iv.size() == 1 ? crypto::Md5({secret, *iv.begin()})
                                             : crypto::Md5({secret, *iv.begin(), iv.begin()[1]}))
                           : crypto::Md5({secret, hidden.subspan(at - kBlock, kBlock)});
    for (size_t i = 0; i < kBlock; ++i) {
      out[at + i] = in[at + i] ^ pad.octets()[i];
    }
  }
  return out;
}

Secret MixToSecret(Octets in, Octets secret, std::initializer_list<Octets> iv) {
  std::vector<uint8_t> plain = Mix(in, secret, iv, Direction::kReveal);
  Secret out{Octets(plain)};
  OPENSSL_cleanse(plain.data(), plain.size());
  return out;
}

// Padded: `size` octets, the parts and then zeros.
Secret Padded(std::initializer_list<Octets> parts, size_t size) {
  std::vector<uint8_t> plain;
  plain.reserve(size);  // no growth: nothing may be left behind in freed memory
  for (Octets part : parts) {
    plain.insert(plain.end(), part.begin(), part.end());
  }
  plain.resize(size);
  Secret out{Octets(plain)};
  OPENSSL_cleanse(plain.data(), plain.size());
  return out;
}

size_t WholeBlocks(size_t len) { return std::max(kBlock, (len + kBlock - 1) / kBlock * kBlock); }

}  // namespace

tl::expected<std::vector<uint8_t>, HidingError> HidePassword(
    Octets password, Octets secret, const AuthenticatorOctets& authenticator) {
  if (password.size() > kMaxPasswordLen) {
    return tl::unexpected(HidingError::kTooLong);
  }
  const Secret plain = Padded({password}, WholeBlocks(password.size()));
  return Mix(plain.octets(), secret, {authenticator}, Direction::kHide);
}

tl::expected<Secret, HidingError> RevealPassword(Octets hidden, Octets secret,
                                                 const AuthenticatorOctets& authenticator) {
  if (hidden.empty() || hidden.size() > kMaxPasswordLen || hidden.size() % kBlock != 0) {
    return tl::unexpected(HidingError::kBadLength);
  }
  return MixToSecret(hidden, secret, {authenticator});
}

tl::expected<std::vector<uint8_t>, HidingError> HideKey(
    Octets key, uint16_t salt, Octets secret, const AuthenticatorOctets& request_authenticator) {
  if (key.size() > kMaxKeyLen) {
    return tl::unexpected(HidingError::kTooLong);
  }
  const std::array<uint8_t, kSaltLen> salt_octets = {static_cast<uint8_t>(salt >> 8 | 0x80),
                                                     static_cast<uint8_t>(salt)};
  const auto len = static_cast<uint8_t>(key.size());
  const Secret plain = Padded({Octets(&len, 1), key}, WholeBlocks(key.size() + 1));
  std::vector<uint8_t> value(salt_octets.begin(), salt_octets.end());
  const std::vector<uint8_t> hidden =
      Mix(plain.octets(), secret, {request_authenticator, salt_octets}, Direction::kHide);
  value.insert(value.end(), hidden.begin(), hidden.end());
  return value;
}

tl::expected<Secret, HidingError> RevealKey(Octets value, Octets secret,
                                            const AuthenticatorOctets& request_authenticator) {
  if (value.size() < kSaltLen + kBlock || (value.size() - kSaltLen) % kBlock != 0) {
    return tl::unexpected(HidingError::kBadLength);
  }
  const Secret plain =
      MixToSecret(value.subspan(kSaltLen), secret, {request_authenticator, value.first(kSaltLen)});
  const size_t len = plain.octets()[0];
  if (len == 0 || len >= plain.octets().size()) {
    return tl::unexpected(HidingError::kBadContent);
  }
  return Secret(plain.octets().subspan(1, len));
}

tl::expected<std::vector<uint8_t>, HidingError> HideChapMppeKeys(
    Octets lm_key, Octets nt_key, Octets secret, const AuthenticatorOctets& request_authenticator) {
  if (lm_key.size() != kLmKeyLen || nt_key.size() != kNtKeyLen) {
    return tl::unexpected(HidingError::kBadLength);
  }
  const Secret plain = Padded({lm_key, nt_key}, kChapKeysLen);
  return Mix(plain.octets(), secret, {request_authenticator}, Direction::kHide);
}

tl::expected<ChapMppeKeys, HidingError> RevealChapMppeKeys(
    Octets value, Octets secret, const AuthenticatorOctets& request_authenticator) {
  if (value.size() != kChapKeysLen) {
    return tl::unexpected(HidingError::kBadLength);
  }
  const Secret plain = MixToSecret(value, secret, {request_authenticator});
  const Octets padding = plain.octets().subspan(kLmKeyLen + kNtKeyLen);
  if (std::any_of(padding.begin(), padding.end(), [](uint8_t octet) { return octet != 0; })) {
    return tl::unexpected(HidingError::kBadContent);
  }
  return ChapMppeKeys{.lm_key = Secret(plain.octets().first(kLmKeyLen)),
                      .nt_key = Secret(plain.octets().subspan(kLmKeyLen, kNtKeyLen))};
}

}  // namespace culvert::radius
