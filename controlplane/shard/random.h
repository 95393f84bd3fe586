// Cryptographically random octets and numbers, from OpenSSL. Any thread.
#pragma once

#include <openssl/rand.h>

#include <cstdint>
#include <cstdlib>
#include <span>

namespace culvert {

// FillRandom ends the process when the system has no randomness: nothing here is safe without.
inline void FillRandom(std::span<uint8_t> out) {
  if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) {
    std::abort();
  }
}

inline uint64_t Random64() {
  uint64_t value = 0;
  FillRandom({reinterpret_cast<uint8_t*>(&value), sizeof value});
  return value;
}

// RandomBelow: the bias of 2^32 in 2^64 is of no use to anybody. `bound` is not 0.
inline uint32_t RandomBelow(uint32_t bound) { return static_cast<uint32_t>(Random64() % bound); }

}  // namespace culvert
