// The kernels for few lanes, which load S[i] a step earlier: see steps_x86.h.
#include <array>
#include <cstring>
#include <utility>

#include "dataplane/mppe/lanes/steps_x86.h"
#include "dataplane/mppe/wipe.h"

namespace culvert::dataplane::mppe::x86 {
namespace {

// TakeNext loads the S[i] of the next step before this one stores.
template <unsigned kOffset>
ALWAYS_INLINE void TakeNext(const uint8_t* row, uint64_t* next) {
  asm volatile("movzbl %c[offset](%[row]), %k[next]"
               : [next] "=&r"(*next)
               : [row] "r"(row), [offset] "i"(kOffset)
               : "memory");
}

// MendNext: this step stored its a there, if j is the next i.
ALWAYS_INLINE void MendNext(uint64_t j, uint64_t next_i, uint64_t a, uint64_t* next) {
  asm volatile(
      "cmpb %b[next_i], %b[j]\n\t"
      "cmovel %k[a], %k[next]"
      : [next] "+&r"(*next)
      : [j] "r"(j), [next_i] "r"(next_i), [a] "r"(a)
      : "cc");
}

// Ahead: S[i], S[i + 1] and so on of a key schedule alone, loaded before the stores of this step.
constexpr unsigned kAhead = 3;
struct Ahead {
  uint64_t s[kAhead + 1];
};

// SoloStep does step kStep of sixteen; `row` is at S[i] of the first of them.
template <unsigned kStep>
ALWAYS_INLINE void SoloStep(uint8_t* table, uint8_t* row, uint64_t i, const uint8_t* key,
                            uint64_t* j, Ahead* ahead) {
  uint64_t* s = ahead->s;
  const uint64_t& a = s[kStep % 4];
  uint64_t b;
  TakeNext<kStep + kAhead>(row, &s[(kStep + kAhead) % 4]);
  asm volatile(
      "addb %[key], %b[j]\n\t"
      "addb %b[a], %b[j]\n\t"
      "movzbl (%[table], %[j]), %k[b]\n\t"
      "movb %b[a], (%[table], %[j])\n\t"
      "movb %b[b], %c[step](%[row])"
      : [b] "=&r"(b), [j] "+&r"(*j)
      : [table] "r"(table), [row] "r"(row), [a] "r"(a), [key] "m"(key[kStep]), [step] "i"(kStep)
      : "memory", "cc");
  MendNext(*j, i + kStep + 1, a, &s[(kStep + 1) % 4]);
  MendNext(*j, i + kStep + 2, a, &s[(kStep + 2) % 4]);
  MendNext(*j, i + kStep + 3, a, &s[(kStep + 3) % 4]);
}

template <unsigned... kStep>
ALWAYS_INLINE void SoloSteps(uint8_t* table, uint8_t* row, uint64_t i, const uint8_t* key,
                             uint64_t* j, Ahead* ahead,
                             std::integer_sequence<unsigned, kStep...> /*steps*/) {
  (SoloStep<kStep>(table, row, i, key, j, ahead), ...);
}

constexpr auto kOctets = [] {
  std::array<uint8_t, 256> octets{};
  for (unsigned i = 0; i < 256; ++i) {
    octets[i] = static_cast<uint8_t>(i);
  }
  return octets;
}();

struct SoloTable {
  Rc4Table rc4;
  uint8_t padding[8];  // loaded for nothing by the last steps
};

struct PairRegisters {
  uint64_t j[2];
  uint64_t a[2];  // S[i] of the next step
  __m128i keystream[2];
};

// Step makes octet kAt of a block; S[i] is in row kRow from `row`, the next S[i] in row kNextRow
// from `next_row`.
template <unsigned kAt, unsigned kRow, unsigned kNextRow>
ALWAYS_INLINE void Step(uint8_t* tables, uint8_t* row, uint8_t* next_row, uint64_t next_i,
                        PairRegisters* registers) {
  uint64_t next[2];
  uint64_t b[2];
  auto& [j, a, keystream] = *registers;
  TakeNext<Offset(0) + kNextRow * kRowLen>(next_row, &next[0]);
  TakeNext<Offset(1) + kNextRow * kRowLen>(next_row, &next[1]);
  j[0] = static_cast<uint8_t>(j[0] + a[0]);
  j[1] = static_cast<uint8_t>(j[1] + a[1]);
  TakeB<0>(tables, j[0], a[0], &b[0]);
  TakeB<1>(tables, j[1], a[1], &b[1]);
  PutB<Offset(0) + kRow * kRowLen>(row, b[0]);
  PutB<Offset(1) + kRow * kRowLen>(row, b[1]);
  MendNext(j[0], next_i, a[0], &next[0]);
  MendNext(j[1], next_i, a[1], &next[1]);
  TakeKeystream<0, kAt>(tables, a[0], b[0], &keystream[0]);
  TakeKeystream<1, kAt>(tables, a[1], b[1], &keystream[1]);
  a[0] = next[0];
  a[1] = next[1];
}

template <unsigned... kAt>
ALWAYS_INLINE void FirstSteps(uint8_t* tables, uint8_t* row, uint64_t i, PairRegisters* registers,
                              std::integer_sequence<unsigned, kAt...> /*steps*/) {
  (Step<kAt, kAt + 1, kAt + 2>(tables, row, row, i + kAt + 2, registers), ...);
}

void ScheduleSolo(const Key& key, SoloTable* table) {
  static_assert(sizeof(Key) == 16);
  static_assert(sizeof(table->padding) >= kAhead);
  std::memcpy(table->rc4.s, kOctets.data(), kOctets.size());
  Ahead ahead{{0, 1, 2, 0}};
  uint64_t j = 0;
  for (uint64_t i = 0; i < 256; i += sizeof(Key)) {
    SoloSteps(table->rc4.s, table->rc4.s + i, i, key.data(), &j, &ahead,
              std::make_integer_sequence<unsigned, sizeof(Key)>());
  }
  table->rc4.i = 0;
  table->rc4.j = 0;
}

}  // namespace

void ScheduleOne(const Key& key, Lanes* lanes) {
  SoloTable table;
  ScheduleSolo(key, &table);
  for (unsigned i = 0; i < 256; ++i) {
    lanes->tables[i * kRowLen] = table.rc4.s[i];
  }
  Wipe(&table, sizeof(table));
}

void CryptKeySolo(Key* key) {
  SoloTable table;
  ScheduleSolo(*key, &table);
  mppe::Crypt(&table.rc4, *key);
  Wipe(&table, sizeof(table));
}

void CryptPair(Lanes* lanes, uint8_t* const* texts, size_t num_blocks) {
  PairRegisters registers;
  uint8_t* const tables = lanes->tables;
  uint64_t i = lanes->i;
  for (unsigned lane = 0; lane < 2; ++lane) {
    registers.j[lane] = lanes->j[lane];
    registers.a[lane] = tables[(i + 1) * kRowLen + Offset(lane)];
    registers.keystream[lane] = _mm_setzero_si128();
  }
  for (size_t offset = 0; offset < num_blocks * kBlockLen; offset += kBlockLen) {
    uint8_t* const row = tables + i * kRowLen;
    FirstSteps(tables, row, i, &registers, std::make_integer_sequence<unsigned, kBlockLen - 2>());
    i = (i + kBlockLen) % 256;
    uint8_t* const next_row = tables + i * kRowLen;
    Step<kBlockLen - 2, kBlockLen - 1, 0>(tables, row, next_row, i, &registers);
    Step<kBlockLen - 1, 0, 1>(tables, next_row, next_row, i + 1, &registers);
    XorBlock(texts[0] + offset, registers.keystream[0]);
    XorBlock(texts[1] + offset, registers.keystream[1]);
  }
  lanes->i = static_cast<uint32_t>(i);
  lanes->j[0] = registers.j[0];
  lanes->j[1] = registers.j[1];
}

}  // namespace culvert::dataplane::mppe::x86
