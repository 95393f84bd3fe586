// Keystreams that go on, up to four side by side, each with its own table and index.
#include "dataplane/mppe/lanes/streams_x86.h"

#include <smmintrin.h>

#include <array>
#include <utility>

#include "dataplane/mppe/lanes/lanes.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

namespace culvert::dataplane::mppe {
namespace {

// Registers: what the loop holds of its streams. Only constant indices, or it would be memory.
struct Registers {
  uint8_t* table[kMaxStreams];
  uint64_t i[kMaxStreams];
  uint64_t j[kMaxStreams];
  __m128i keystream[kMaxStreams];
};

// Step makes octet kAt of a block of a stream. The sums are of octets: their registers' other bits
// are and stay zero.
template <unsigned kAt>
ALWAYS_INLINE void Step(uint8_t* table, uint64_t* i, uint64_t* j, __m128i* keystream) {
  uint64_t a;
  uint64_t b;
  asm volatile(
      "incb %b[i]\n\t"
      "movzbl (%[table], %[i]), %k[a]\n\t"
      "addb %b[a], %b[j]\n\t"
      "movzbl (%[table], %[j]), %k[b]\n\t"
      "movb %b[a], (%[table], %[j])\n\t"
      "movb %b[b], (%[table], %[i])\n\t"
      "addb %b[a], %b[b]\n\t"
      "pinsrb %[at], (%[table], %[b]), %[keystream]"
      : [a] "=&r"(a), [b] "=&r"(b), [i] "+&r"(*i), [j] "+&r"(*j), [keystream] "+x"(*keystream)
      : [table] "r"(table), [at] "i"(kAt)
      : "memory", "cc");
}

template <unsigned kAt, unsigned... kStream>
ALWAYS_INLINE void StepAll(Registers* registers,
                           std::integer_sequence<unsigned, kStream...> /*streams*/) {
  (Step<kAt>(registers->table[kStream], &registers->i[kStream], &registers->j[kStream],
             &registers->keystream[kStream]),
   ...);
}

template <typename Streams, unsigned... kAt>
ALWAYS_INLINE void Steps(Registers* registers, std::integer_sequence<unsigned, kAt...> /*steps*/) {
  (StepAll<kAt>(registers, Streams()), ...);
}

ALWAYS_INLINE void Load(const Stream& stream, unsigned at, Registers* registers) {
  registers->table[at] = stream.table->s;
  registers->i[at] = stream.table->i;
  registers->j[at] = stream.table->j;
  registers->keystream[at] = _mm_setzero_si128();
}

ALWAYS_INLINE void Save(const Stream& stream, unsigned at, const Registers& registers) {
  stream.table->i = static_cast<uint8_t>(registers.i[at]);
  stream.table->j = static_cast<uint8_t>(registers.j[at]);
}

ALWAYS_INLINE void XorBlock(uint8_t* text, __m128i keystream) {
  auto* at = reinterpret_cast<__m128i*>(text);
  _mm_storeu_si128(at, _mm_xor_si128(_mm_loadu_si128(at), keystream));
}

template <unsigned... kStream>
void GoOnStreams(const Stream* streams, size_t num_blocks) {
  Registers registers;
  (Load(streams[kStream], kStream, &registers), ...);
  for (size_t offset = 0; offset < num_blocks * kBlockLen; offset += kBlockLen) {
    Steps<std::integer_sequence<unsigned, kStream...>>(
        &registers, std::make_integer_sequence<unsigned, kBlockLen>());
    (XorBlock(streams[kStream].text + offset, registers.keystream[kStream]), ...);
  }
  (Save(streams[kStream], kStream, registers), ...);
}

}  // namespace

void GoOnX86(const Stream* streams, unsigned num, size_t num_blocks) {
  constexpr std::array<void (*)(const Stream*, size_t), kMaxStreams> kByNum = {
      GoOnStreams<0>, GoOnStreams<0, 1>, GoOnStreams<0, 1, 2>, GoOnStreams<0, 1, 2, 3>};
  kByNum[num - 1](streams, num_blocks);
}

}  // namespace culvert::dataplane::mppe
