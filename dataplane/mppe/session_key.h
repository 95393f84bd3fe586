// The chain of MPPE session keys of one direction (RFC 3078 s7.3, RFC 3079 s3.4).
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dataplane/mppe/sha1.h"

namespace culvert::dataplane::mppe {

using Key = std::array<uint8_t, 16>;  // its first KeyLen() octets count

// KeyLen of 40, 56 and 128 bit; 40 and 56 use keys of 8 octets of which some are fixed.
constexpr size_t KeyLen(uint16_t bits) { return bits == 128 ? 16 : 8; }

// Reduce fixes the octets that make 40 and 56 bit of 64 (RFC 3079 s3.3), and those behind the key.
void Reduce(uint16_t bits, Key* key);

// FirstKey gives SessionKey(0) from the start key. No packet is encrypted with it when stateless.
Key FirstKey(const Sha1& sha1, const Key& start_key, uint16_t bits);

// NextKey replaces SessionKey(n) by SessionKey(n + 1).
void NextKey(const Sha1& sha1, const Key& start_key, uint16_t bits, Key* session_key);

}  // namespace culvert::dataplane::mppe
