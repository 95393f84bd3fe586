// How a client changes an expired password (RFC 2759 s6, s7). Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "controlplane/crypto/secret.h"

namespace culvert::client_role {

// ExpiredChallenge reads a Failure's text: the challenge that a Change-Password is made with;
// nullopt: the password has not expired, or the server cannot change it (V below 3).
[[nodiscard]] std::optional<std::array<uint8_t, 16>> ExpiredChallenge(std::string_view failure);

struct PasswordChange {
  std::vector<uint8_t> data;  // of the Change-Password packet: 582 octets
  Secret new_hash;            // NT hash of the new password
  std::array<uint8_t, 24> nt_response{};
};

// MakePasswordChange: `filler` is random; nullopt: the new password (UTF-8) is not fit for use.
[[nodiscard]] std::optional<PasswordChange> MakePasswordChange(
    std::string_view user, std::span<const uint8_t, 16> old_hash,
    std::span<const uint8_t> new_password, std::span<const uint8_t, 16> challenge,
    std::span<const uint8_t, 16> peer_challenge, std::span<const uint8_t, 516> filler);

}  // namespace culvert::client_role
