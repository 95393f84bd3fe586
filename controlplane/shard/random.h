// Cryptographically random octets and numbers, from OpenSSL. Any thread.
#pragma once

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>

namespace culvert {

// FillRandom ends the process when the system has no randomness: nothing here is safe without.
// Small amounts come from a store of the thread's: each RAND_bytes() takes a lock that all
// threads share.
inline void FillRandom(std::span<uint8_t> out) {
  struct Store {
    std::array<uint8_t, 1024> octets;
    size_t used = sizeof octets;
  };
  if (out.empty()) {
    return;
  }
  thread_local Store store;
  const auto generate = [](std::span<uint8_t> octets) {
    if (RAND_bytes(octets.data(), static_cast<int>(octets.size())) != 1) {
      std::abort();
    }
  };
  if (out.size() > store.octets.size() / 8) {
    return generate(out);
  }
  if (out.size() > store.octets.size() - store.used) {
    generate(store.octets);
    store.used = 0;
  }
  uint8_t* const taken = store.octets.data() + store.used;
  std::memcpy(out.data(), taken, out.size());
  OPENSSL_cleanse(taken, out.size());  // nobody gets it twice
  store.used += out.size();
}

inline uint64_t Random64() {
  uint64_t value = 0;
  FillRandom({reinterpret_cast<uint8_t*>(&value), sizeof value});
  return value;
}

// RandomBelow: the bias of 2^32 in 2^64 is of no use to anybody. `bound` is not 0.
inline uint32_t RandomBelow(uint32_t bound) { return static_cast<uint32_t>(Random64() % bound); }

}  // namespace culvert
