// The kernels for many lanes: see steps_x86.h.
#include <array>
#include <cstring>
#include <utility>

#include "dataplane/mppe/lanes/lanes.h"
#include "dataplane/mppe/lanes/steps_x86.h"

namespace culvert::dataplane::mppe {
namespace {

using namespace x86;  // NOLINT(google-build-using-namespace): steps of these loops

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
      CryptPair, CryptPairs<2>, CryptPairs<3>, CryptPairs<4>};
  kByPairs[(num - 1) / 2](lanes, texts, num_blocks);
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
  if (num == 1) {
    ScheduleOne(keys[0], lanes);
  } else {
    kByPairs[(num - 1) / 2](keys->data(), lanes);
  }
  std::memset(lanes->j, 0, sizeof(lanes->j));
  lanes->i = 0;
}

}  // namespace

const Kernels kFastKernels = {Schedule, Crypt, CryptKeySolo, x86::GoOn};

}  // namespace culvert::dataplane::mppe
