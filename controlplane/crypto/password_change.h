// What MS-CHAPv2's Change-Password carries (RFC 2759 s8.9 to s8.15). Names are the RFC's. Any
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <tl/expected.hpp>

#include "controlplane/crypto/mschap.h"
#include "controlplane/crypto/secret.h"

namespace culvert::crypto {

constexpr size_t kPasswordBlockLen =
    516;  // 512 octets with the password at their end, and its length

enum class ChangeError : uint8_t {
  kUnknownOldPassword,  // who sent it does not know the old password
  kUnfitPassword,       // knows it; the new one is empty, or not well-formed UTF-16
};

struct NewPassword {
  Secret password;  // UTF-8; never empty, at most 256 UTF-16 units
  Secret nt_hash;   // of it
};

// OpenNewPassword decrypts the new password with the old NT hash, and checks `encrypted_hash`: only
// who knows both can make it.
[[nodiscard]] tl::expected<NewPassword, ChangeError> OpenNewPassword(
    std::span<const uint8_t, kPasswordBlockLen> encrypted_password,
    std::span<const uint8_t, 16> encrypted_hash, std::span<const uint8_t, 16> old_nt_hash);

// EncryptPasswordBlock is NewPasswordEncryptedWithOldNtPasswordHash (s8.9) of a UTF-8 password; the
// filler is random in `block`, which it is put into.
[[nodiscard]] tl::expected<void, PasswordError> EncryptPasswordBlock(
    std::span<const uint8_t> new_password, std::span<const uint8_t, 16> old_nt_hash,
    std::span<uint8_t, kPasswordBlockLen> block);

// EncryptHash is NtPasswordHashEncryptedWithBlock (s8.13).
[[nodiscard]] std::array<uint8_t, 16> EncryptHash(std::span<const uint8_t, 16> hash,
                                                  std::span<const uint8_t, 16> block);

}  // namespace culvert::crypto
