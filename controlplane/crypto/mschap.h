// MS-CHAP version 1 (RFC 2433 appendix A) and version 2 (RFC 2759 s8). Names are the RFCs'.
// Passwords are UTF-8. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "controlplane/crypto/secret.h"

namespace culvert::crypto {

enum class PasswordError : uint8_t {
  kInvalidUtf8,
  kTooLong,   // more than 256 UTF-16 units (RFC 2759 s8.3)
  kNotAscii,  // has no LM hash here: the OEM character set is not known
};

// NtPasswordHash is MD4 of the password in UTF-16LE (RFC 2759 s8.3): 16 octets.
[[nodiscard]] tl::expected<Secret, PasswordError> NtPasswordHash(std::span<const uint8_t> password);
// HashNtPasswordHash is MD4 of that (RFC 2759 s8.4).
[[nodiscard]] Secret HashNtPasswordHash(std::span<const uint8_t, 16> nt_hash);
// LmPasswordHash upper-cases and cuts to 14 octets (RFC 2433 A.3): 16 octets.
[[nodiscard]] tl::expected<Secret, PasswordError> LmPasswordHash(std::span<const uint8_t> password);

// ChallengeResponse (RFC 2759 s8.5) with the NT or the LM hash.
[[nodiscard]] std::array<uint8_t, 24> ChallengeResponse(std::span<const uint8_t, 8> challenge,
                                                        std::span<const uint8_t, 16> hash);

// ChallengeHash (RFC 2759 s8.2). `user` as in the Response: a leading `DOMAIN\` is not hashed.
[[nodiscard]] std::array<uint8_t, 8> ChallengeHash(
    std::span<const uint8_t, 16> peer_challenge,
    std::span<const uint8_t, 16> authenticator_challenge, std::string_view user);

// GenerateNtResponse (RFC 2759 s8.1), from the NT hash.
[[nodiscard]] std::array<uint8_t, 24> GenerateNtResponse(
    std::span<const uint8_t, 16> authenticator_challenge,
    std::span<const uint8_t, 16> peer_challenge, std::string_view user,
    std::span<const uint8_t, 16> nt_hash);

// AuthenticatorResponse (RFC 2759 s8.7): "S=" and 40 upper-case hexadecimal digits.
[[nodiscard]] std::string AuthenticatorResponse(
    std::span<const uint8_t, 16> nt_hash, std::span<const uint8_t, 24> nt_response,
    std::span<const uint8_t, 16> peer_challenge,
    std::span<const uint8_t, 16> authenticator_challenge, std::string_view user);

// SpanOf16 is the hash in a Secret as a span of known size; the Secret must hold 16 octets.
[[nodiscard]] std::span<const uint8_t, 16> SpanOf16(const Secret& hash);

}  // namespace culvert::crypto
