// The kernels in scalar x86-64 with single instructions written out, so that compilers agree on
// the addressing. What a step costs is stores: those to one cache line enter the cache two at a
// cycle when they follow each other, others one at a cycle. So two lanes share a table of 256 rows
// of four octets (lane 0, unused, lane 1, unused), and their stores to a row stand together. Lanes
// in neighbouring octets would wait for each other.
#include <smmintrin.h>

#include <array>
#include <cstring>
#include <utility>

#include "dataplane/mppe/lanes/lanes.h"
#include "dataplane/mppe/lanes/streams_x86.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

namespace culvert::dataplane::mppe {
namespace {

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

// PairStep makes octet kAt of a block in two lanes; S[i] is kRow rows behind `row`.
template <unsigned kPair, unsigned kAt, unsigned kRow>
ALWAYS_INLINE void PairStep(uint8_t* tables, uint8_t* row, Registers* registers) {
  constexpr unsigned kOne = 2 * kPair;
  constexpr unsigned kOther = kOne + 1;
  uint64_t a[2];
  uint64_t b[2];
  TakeA<Offset(kOne) + kRow * kRowLen>(row, &a[0], &registers->j[kOne]);
  TakeA<Offset(kOther) + kRow * kRowLen>(row, &a[1], &registers->j[kOther]);
  TakeB<kOne>(tables, registers->j[kOne], a[0], &b[0]);
  TakeB<kOther>(tables, registers->j[kOther], a[1], &b[1]);
  PutB<Offset(kOne) + kRow * kRowLen>(row, b[0]);
  PutB<Offset(kOther) + kRow * kRowLen>(row, b[1]);
  TakeKeystream<kOne, kAt>(tables, a[0], b[0], &registers->keystream[kOne]);
  TakeKeystream<kOther, kAt>(tables, a[1], b[1], &registers->keystream[kOther]);
}

template <unsigned kAt, unsigned kRow, unsigned... kPair>
ALWAYS_INLINE void Step(uint8_t* tables, uint8_t* row, Registers* registers,
                        std::integer_sequence<unsigned, kPair...> /*pairs*/) {
  (PairStep<kPair, kAt, kRow>(tables, row, registers), ...);
}

template <typename Pairs, unsigned... kAt>
ALWAYS_INLINE void FirstSteps(uint8_t* tables, uint8_t* row, Registers* registers,
                              std::integer_sequence<unsigned, kAt...> /*steps*/) {
  (Step<kAt, kAt + 1>(tables, row, registers, Pairs()), ...);
}

template <unsigned... kLane>
ALWAYS_INLINE void Load(const Lanes& lanes, Registers* registers,
                        std::integer_sequence<unsigned, kLane...> /*lanes*/) {
  ((registers->j[kLane] = lanes.j[kLane]), ...);
  // All of it is replaced octet by octet before it is used.
  ((registers->keystream[kLane] = _mm_setzero_si128()), ...);
}

template <unsigned... kLane>
ALWAYS_INLINE void Save(const Registers& registers, Lanes* lanes,
                        std::integer_sequence<unsigned, kLane...> /*lanes*/) {
  ((lanes->j[kLane] = registers.j[kLane]), ...);
}

ALWAYS_INLINE void XorBlock(uint8_t* text, __m128i keystream) {
  auto* at = reinterpret_cast<__m128i*>(text);
  _mm_storeu_si128(at, _mm_xor_si128(_mm_loadu_si128(at), keystream));
}

template <unsigned... kLane>
ALWAYS_INLINE void XorBlocks(uint8_t* const* texts, size_t offset, const Registers& registers,
                             std::integer_sequence<unsigned, kLane...> /*lanes*/) {
  (XorBlock(texts[kLane] + offset, registers.keystream[kLane]), ...);
}

template <unsigned kPairs>
void CryptPairs(Lanes* lanes, uint8_t* const* texts, size_t num_blocks) {
  using Pairs = std::make_integer_sequence<unsigned, kPairs>;
  constexpr std::make_integer_sequence<unsigned, 2 * kPairs> kAll;
  Registers registers;
  Load(*lanes, &registers, kAll);
  uint8_t* const tables = lanes->tables;
  uint32_t i = lanes->i;
  for (size_t offset = 0; offset < num_blocks * kBlockLen; offset += kBlockLen) {
    FirstSteps<Pairs>(tables, tables + i * kRowLen, &registers,
                      std::make_integer_sequence<unsigned, kBlockLen - 1>());
    i = (i + kBlockLen) % 256;
    Step<kBlockLen - 1, 0>(tables, tables + i * kRowLen, &registers, Pairs());
    XorBlocks(texts, offset, registers, kAll);
  }
  lanes->i = i;
  Save(registers, lanes, kAll);
}

void Crypt(Lanes* lanes, unsigned num, uint8_t* const* texts, size_t num_blocks) {
  constexpr std::array<void (*)(Lanes*, uint8_t* const*, size_t), 4> kByPairs = {
      CryptPairs<1>, CryptPairs<2>, CryptPairs<3>, CryptPairs<4>};
  kByPairs[(num - 1) / 2](lanes, texts, num_blocks);
}

// TakeKey is TakeA with the key's octet.
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

template <unsigned kPair>
ALWAYS_INLINE void SchedulePairStep(uint8_t* tables, uint8_t* row, const uint8_t* key,
                                    Registers* registers) {
  constexpr unsigned kOne = 2 * kPair;
  constexpr unsigned kOther = kOne + 1;
  uint64_t a[2];
  uint64_t b[2];
  TakeKey<kOne>(row, key + kOne * sizeof(Key), &a[0], &registers->j[kOne]);
  TakeKey<kOther>(row, key + kOther * sizeof(Key), &a[1], &registers->j[kOther]);
  TakeB<kOne>(tables, registers->j[kOne], a[0], &b[0]);
  TakeB<kOther>(tables, registers->j[kOther], a[1], &b[1]);
  PutB<Offset(kOne)>(row, b[0]);
  PutB<Offset(kOther)>(row, b[1]);
}

template <unsigned... kPair>
ALWAYS_INLINE void ScheduleSteps(uint8_t* tables, const uint8_t* keys, Registers* registers,
                                 std::integer_sequence<unsigned, kPair...> /*pairs*/) {
  // Not unrolled: a load of S[i] that once ran ahead of a store to it then waits for those in all
  // steps, which is the faster way.
#pragma GCC unroll 1
  for (uint64_t i = 0; i < 256; ++i) {
    (SchedulePairStep<kPair>(tables, tables + i * kRowLen, keys + i % sizeof(Key), registers), ...);
  }
}

constexpr auto kIdentity = [] {
  std::array<uint8_t, 256 * kRowLen> rows{};
  for (unsigned i = 0; i < 256; ++i) {
    rows[i * kRowLen] = static_cast<uint8_t>(i);
    rows[i * kRowLen + 2] = static_cast<uint8_t>(i);
  }
  return rows;
}();

template <unsigned kPairs>
void SchedulePairs(const uint8_t* keys, Lanes* lanes) {
  for (unsigned pair = 0; pair < kPairs; ++pair) {
    std::memcpy(lanes->tables + pair * kPairLen, kIdentity.data(), kIdentity.size());
  }
  Registers registers{};
  ScheduleSteps(lanes->tables, keys, &registers, std::make_integer_sequence<unsigned, kPairs>());
}

void Schedule(const Key* keys, unsigned num, Lanes* lanes) {
  constexpr std::array<void (*)(const uint8_t*, Lanes*), 4> kByPairs = {
      SchedulePairs<1>, SchedulePairs<2>, SchedulePairs<3>, SchedulePairs<4>};
  kByPairs[(num - 1) / 2](keys->data(), lanes);
  std::memset(lanes->j, 0, sizeof(lanes->j));
  lanes->i = 0;
}

}  // namespace

const Kernels kFastKernels = {Schedule, Crypt, GoOnX86, kMaxStreams};

}  // namespace culvert::dataplane::mppe
