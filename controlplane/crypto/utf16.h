// Passwords between UTF-8 and UTF-16LE, the form that Microsoft's hashes take. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <tl/expected.hpp>

#include "controlplane/crypto/mschap.h"
#include "controlplane/crypto/secret.h"

namespace culvert::crypto {

// ToUtf16Le: kInvalidUtf8, or kTooLong beyond 256 units.
[[nodiscard]] tl::expected<Secret, PasswordError> ToUtf16Le(std::span<const uint8_t> utf8);

// FromUtf16Le gives nullopt for half a unit and for half a surrogate pair.
[[nodiscard]] std::optional<Secret> FromUtf16Le(std::span<const uint8_t> utf16);

}  // namespace culvert::crypto
