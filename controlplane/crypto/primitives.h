// The hashes and the cipher of PPP authentication, as thin functions over OpenSSL. MD4 and DES
// live in its legacy provider, which is loaded with the default one into a library context of
// our own, once. Any thread.
#pragma once

#include <absl/status/status.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "controlplane/crypto/secret.h"

namespace culvert::crypto {

using Octets = std::span<const uint8_t>;

// SelfTest loads the providers and computes one known answer of each primitive.
// FailedPrecondition, with the remedy, when OpenSSL cannot do one of them. To be called at
// start-up: the functions below end the process when OpenSSL fails, as running out of memory
// does.
[[nodiscard]] absl::Status SelfTest();

// Md4, Md5, Sha1 digest the parts as one string (RFC 1320, RFC 1321, FIPS 180): 16, 16, 20 octets.
[[nodiscard]] Secret Md4(std::initializer_list<Octets> parts);
[[nodiscard]] Secret Md5(std::initializer_list<Octets> parts);
[[nodiscard]] Secret Sha1(std::initializer_list<Octets> parts);

// HmacMd5 (RFC 2104) of the parts as one string: 16 octets.
[[nodiscard]] Secret HmacMd5(Octets key, std::initializer_list<Octets> parts);

// DesEncrypt encrypts one block; the key's 56 bits get their parity bits here (RFC 2759 s8.6).
[[nodiscard]] std::array<uint8_t, 8> DesEncrypt(std::span<const uint8_t, 7> key,
                                                std::span<const uint8_t, 8> block);

// Rc4 encrypts or decrypts with a key of 16 octets, from the beginning of its stream. Only for what
// RFC 2759 s8.9 puts under it; the data plane has its own.
[[nodiscard]] Secret Rc4(std::span<const uint8_t, 16> key, Octets text);

}  // namespace culvert::crypto
