#include "controlplane/crypto/password_change.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "controlplane/crypto/primitives.h"
#include "controlplane/crypto/utf16.h"

namespace culvert::crypto {

namespace {

constexpr size_t kMaxPasswordLen = 512;  // octets of UTF-16LE

// LengthOf reads the little-endian length behind the password.
uint32_t LengthOf(Octets block) {
  uint32_t len = 0;
  for (size_t i = 0; i < 4; ++i) {
    len |= static_cast<uint32_t>(block[kMaxPasswordLen + i]) << (8 * i);
  }
  return len;
}

}  // namespace

std::array<uint8_t, 16> EncryptHash(std::span<const uint8_t, 16> hash,
                                    std::span<const uint8_t, 16> block) {
  std::array<uint8_t, 16> encrypted;
  const auto low = DesEncrypt(block.first<7>(), hash.first<8>());
  const auto high = DesEncrypt(block.subspan<7, 7>(), hash.last<8>());
  std::copy(low.begin(), low.end(), encrypted.begin());
  std::copy(high.begin(), high.end(), encrypted.begin() + 8);
  return encrypted;
}

tl::expected<NewPassword, ChangeError> OpenNewPassword(
    std::span<const uint8_t, kPasswordBlockLen> encrypted_password,
    std::span<const uint8_t, 16> encrypted_hash, std::span<const uint8_t, 16> old_nt_hash) {
  const Secret block = Rc4(old_nt_hash, encrypted_password);
  const uint32_t len = LengthOf(block.octets());
  // With another old password a random number stands here.
  const bool possible = len <= kMaxPasswordLen;
  const Octets utf16 = block.octets().subspan(possible ? kMaxPasswordLen - len : 0,
                                              possible ? len : kMaxPasswordLen);
  NewPassword changed{.password = {}, .nt_hash = Md4({utf16})};
  const auto expected = EncryptHash(old_nt_hash, SpanOf16(changed.nt_hash));
  if (!possible || !Secret(expected).Equals(encrypted_hash)) {
    return tl::unexpected(ChangeError::kUnknownOldPassword);
  }
  std::optional<Secret> utf8 = FromUtf16Le(utf16);
  if (!utf8 || utf8->empty()) {
    return tl::unexpected(ChangeError::kUnfitPassword);
  }
  changed.password = std::move(*utf8);
  return changed;
}

tl::expected<void, PasswordError> EncryptPasswordBlock(
    std::span<const uint8_t> new_password, std::span<const uint8_t, 16> old_nt_hash,
    std::span<uint8_t, kPasswordBlockLen> block) {
  const auto utf16 = ToUtf16Le(new_password);
  if (!utf16) {
    return tl::unexpected(utf16.error());
  }
  const auto len = static_cast<uint32_t>(utf16->octets().size());
  std::copy(utf16->octets().begin(), utf16->octets().end(), block.data() + kMaxPasswordLen - len);
  for (size_t i = 0; i < 4; ++i) {
    block[kMaxPasswordLen + i] = static_cast<uint8_t>(len >> (8 * i));
  }
  const Secret encrypted = Rc4(old_nt_hash, block);
  std::copy(encrypted.octets().begin(), encrypted.octets().end(), block.begin());
  return {};
}

}  // namespace culvert::crypto
