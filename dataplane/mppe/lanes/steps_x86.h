// Single steps of RC4 in scalar x86-64, written out so that compilers agree on the addressing, and
// the layout of the tables. What a step costs is stores: those to one cache line enter the cache
// two at a cycle when they follow each other, others one at a cycle. So two lanes share a table of
// 256 rows of four octets (lane 0, unused, lane 1, unused), and their stores to a row stand
// together. Lanes in neighbouring octets would wait for each other.
#pragma once

#include <smmintrin.h>

#include <array>

#include "dataplane/mppe/lanes/lanes.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

namespace culvert::dataplane::mppe::x86 {

constexpr unsigned kRowLen = 4;
constexpr unsigned kPairLen = 256 * kRowLen + 64;  // not a multiple of 4096 by far
static_assert(sizeof(Lanes::tables) >= kLanes / 2 * kPairLen);

constexpr unsigned Offset(unsigned lane) { return lane / 2 * kPairLen + lane % 2 * 2; }

// Registers: what a loop holds of its lanes. Only constant indices, or it would be memory.
struct Registers {
  uint64_t j[kLanes];
  __m128i keystream[kLanes];
};

// One octet of one lane is made in these steps; a and b are S[i] and S[j] before they change
// places. The sums are of octets: their registers' other bits are and stay zero. `row` is where
// S[i] is, `offset` that of the lane from there.
template <unsigned kOffset>
ALWAYS_INLINE void TakeA(const uint8_t* row, uint64_t* a, uint64_t* j) {
  asm volatile(
      "movzbl %c[offset](%[row]), %k[a]\n\t"
      "addb %b[a], %b[j]"
      : [a] "=&r"(*a), [j] "+&r"(*j)
      : [row] "r"(row), [offset] "i"(kOffset)
      : "memory", "cc");
}

// TakeKey is TakeA with the octet of a key.
template <unsigned kLane>
ALWAYS_INLINE void TakeKey(const uint8_t* row, const uint8_t* key, uint64_t* a, uint64_t* j) {
  asm volatile(
      "movzbl %c[offset](%[row]), %k[a]\n\t"
      "addb %[key], %b[j]\n\t"
      "addb %b[a], %b[j]"
      : [a] "=&r"(*a), [j] "+&r"(*j)
      : [row] "r"(row), [key] "m"(*key), [offset] "i"(Offset(kLane))
      : "memory", "cc");
}

template <unsigned kLane>
ALWAYS_INLINE void TakeB(uint8_t* tables, uint64_t j, uint64_t a, uint64_t* b) {
  asm volatile(
      "movzbl %c[offset](%[tables], %[j], 4), %k[b]\n\t"
      "movb %b[a], %c[offset](%[tables], %[j], 4)"
      : [b] "=&r"(*b)
      : [tables] "r"(tables), [j] "r"(j), [a] "r"(a), [offset] "i"(Offset(kLane))
      : "memory");
}

template <unsigned kOffset>
ALWAYS_INLINE void PutB(uint8_t* row, uint64_t b) {
  asm volatile("movb %b[b], %c[offset](%[row])"
               :
               : [row] "r"(row), [b] "r"(b), [offset] "i"(kOffset)
               : "memory");
}

template <unsigned kLane, unsigned kAt>
ALWAYS_INLINE void TakeKeystream(const uint8_t* tables, uint64_t a, uint64_t b,
                                 __m128i* keystream) {
  asm volatile(
      "addb %b[a], %b[b]\n\t"
      "pinsrb %[at], %c[offset](%[tables], %[b], 4), %[keystream]"
      : [keystream] "+x"(*keystream), [b] "+&r"(b)
      : [tables] "r"(tables), [a] "r"(a), [offset] "i"(Offset(kLane)), [at] "i"(kAt)
      : "memory", "cc");
}

// XorBlock is the end of a block.
ALWAYS_INLINE void XorBlock(uint8_t* text, __m128i keystream) {
  auto* at = reinterpret_cast<__m128i*>(text);
  _mm_storeu_si128(at, _mm_xor_si128(_mm_loadu_si128(at), keystream));
}

// The table of key schedules' beginning.
inline constexpr auto kIdentity = [] {
  std::array<uint8_t, 256 * kRowLen> rows{};
  for (unsigned i = 0; i < 256; ++i) {
    rows[i * kRowLen] = static_cast<uint8_t>(i);
    rows[i * kRowLen + 2] = static_cast<uint8_t>(i);
  }
  return rows;
}();

// With one lane or two a step takes as long as its loads wait for stores. These load S[i] some
// steps earlier, before the stores that could change it, and then see whether they did. ScheduleOne
// is Kernels::schedule of one lane, CryptPair Kernels::crypt of two, CryptKeySolo is
// Kernels::crypt_key.
void ScheduleOne(const Key& key, Lanes* lanes);
void CryptPair(Lanes* lanes, uint8_t* const* texts, size_t num_blocks);
void CryptKeySolo(Key* key);

// GoOn is Kernels::go_on.
void GoOn(const Stream* streams, size_t num_blocks);

}  // namespace culvert::dataplane::mppe::x86
