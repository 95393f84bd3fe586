// Keystreams that go on, four side by side, each with its own table and index.
#include <utility>

#include "dataplane/mppe/lanes/steps_x86.h"

namespace culvert::dataplane::mppe::x86 {
namespace {

// StreamRegisters: what the loop holds of its streams. Only constant indices, or it would be
// memory.
struct StreamRegisters {
  uint8_t* table[kStreams];
  uint64_t i[kStreams];
  uint64_t j[kStreams];
  __m128i keystream[kStreams];
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
ALWAYS_INLINE void StepAll(StreamRegisters* registers,
                           std::integer_sequence<unsigned, kStream...> /*streams*/) {
  (Step<kAt>(registers->table[kStream], &registers->i[kStream], &registers->j[kStream],
             &registers->keystream[kStream]),
   ...);
}

template <typename Streams, unsigned... kAt>
ALWAYS_INLINE void Steps(StreamRegisters* registers,
                         std::integer_sequence<unsigned, kAt...> /*steps*/) {
  (StepAll<kAt>(registers, Streams()), ...);
}

ALWAYS_INLINE void Load(const Stream& stream, unsigned at, StreamRegisters* registers) {
  registers->table[at] = stream.table->s;
  registers->i[at] = stream.table->i;
  registers->j[at] = stream.table->j;
  registers->keystream[at] = _mm_setzero_si128();
}

ALWAYS_INLINE void Save(const Stream& stream, unsigned at, const StreamRegisters& registers) {
  stream.table->i = static_cast<uint8_t>(registers.i[at]);
  stream.table->j = static_cast<uint8_t>(registers.j[at]);
}

template <unsigned... kStream>
void GoOnStreams(const Stream* streams, size_t num_blocks,
                 std::integer_sequence<unsigned, kStream...> /*streams*/) {
  StreamRegisters registers;
  (Load(streams[kStream], kStream, &registers), ...);
  for (size_t offset = 0; offset < num_blocks * kBlockLen; offset += kBlockLen) {
    Steps<std::integer_sequence<unsigned, kStream...>>(
        &registers, std::make_integer_sequence<unsigned, kBlockLen>());
    (XorBlock(streams[kStream].text + offset, registers.keystream[kStream]), ...);
  }
  (Save(streams[kStream], kStream, registers), ...);
}

}  // namespace

void GoOn(const Stream* streams, size_t num_blocks) {
  GoOnStreams(streams, num_blocks, std::make_integer_sequence<unsigned, kStreams>());
}

}  // namespace culvert::dataplane::mppe::x86
