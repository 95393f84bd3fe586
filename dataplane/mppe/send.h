// The sender of stateless MPPE (RFC 3078 s3.1, s7.1).
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/call/call.h"
#include "dataplane/mppe/sha1.h"

namespace culvert::dataplane::mppe {

// Seal encrypts `text` (inner protocol field and information) in place with the next key, and gives
// the two header octets that go before it, as a host-order word.
uint16_t Seal(const Sha1& sha1, MppeState* state, std::span<uint8_t> text);

}  // namespace culvert::dataplane::mppe
