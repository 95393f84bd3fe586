#include "dataplane/mppe/lanes/key_hash_avx512.h"

#include <immintrin.h>

#include <array>
#include <utility>

#include "dataplane/mppe/lanes/lanes.h"

#define AVX512 __attribute__((target("avx512f,avx512vl,avx2")))
#define AVX512_INLINE inline AVX512 __attribute__((always_inline))

namespace culvert::dataplane::mppe {
namespace {

static_assert(kLanes == 8);

// Words: one word of all eight messages in each vector.
struct Words {
  __m256i at[16];
};

// State: a to e of FIPS 180 s6.1, each round one place further, so that none is moved.
struct State {
  __m256i at[5];
};

AVX512_INLINE __m256i Constant(uint32_t word) { return _mm256_set1_epi32(static_cast<int>(word)); }

template <unsigned kRound>
AVX512_INLINE void Round(State* state, Words* words) {
  constexpr uint32_t kAddends[] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
  constexpr int kChoose = 0xca;
  constexpr int kParity = 0x96;
  constexpr int kMajority = 0xe8;
  constexpr int kFunctions[] = {kChoose, kParity, kMajority, kParity};
  constexpr unsigned kA = 80 - kRound;
  const __m256i& a = state->at[kA % 5];
  __m256i& b = state->at[(kA + 1) % 5];
  const __m256i& c = state->at[(kA + 2) % 5];
  const __m256i& d = state->at[(kA + 3) % 5];
  __m256i& e = state->at[(kA + 4) % 5];
  __m256i& word = words->at[kRound % 16];
  if constexpr (kRound >= 16) {
    const __m256i sum =
        _mm256_ternarylogic_epi32(words->at[(kRound - 3) % 16], words->at[(kRound - 8) % 16],
                                  words->at[(kRound - 14) % 16], kParity);
    word = _mm256_rol_epi32(_mm256_xor_si256(word, sum), 1);
  }
  e = _mm256_add_epi32(e, _mm256_add_epi32(word, Constant(kAddends[kRound / 20])));
  e = _mm256_add_epi32(e, _mm256_ternarylogic_epi32(b, c, d, kFunctions[kRound / 20]));
  e = _mm256_add_epi32(e, _mm256_rol_epi32(a, 5));
  b = _mm256_rol_epi32(b, 30);
}

template <unsigned... kRound>
AVX512_INLINE void Rounds(State* state, Words* words,
                          std::integer_sequence<unsigned, kRound...> /*rounds*/) {
  (Round<kRound>(state, words), ...);
}

// KeyWords: the four words of eight keys.
struct KeyWords {
  __m256i at[4];
};

// Transpose makes rows of columns, in each half of the vectors.
AVX512_INLINE void Transpose(__m256i* rows) {
  const __m256i low01 = _mm256_unpacklo_epi32(rows[0], rows[1]);
  const __m256i low23 = _mm256_unpacklo_epi32(rows[2], rows[3]);
  const __m256i high01 = _mm256_unpackhi_epi32(rows[0], rows[1]);
  const __m256i high23 = _mm256_unpackhi_epi32(rows[2], rows[3]);
  rows[0] = _mm256_unpacklo_epi64(low01, low23);
  rows[1] = _mm256_unpackhi_epi64(low01, low23);
  rows[2] = _mm256_unpacklo_epi64(high01, high23);
  rows[3] = _mm256_unpackhi_epi64(high01, high23);
}

AVX512_INLINE __m256i SwapOctets(__m256i words) {
  return _mm256_shuffle_epi8(
      words, _mm256_broadcastsi128_si256(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203)));
}

AVX512_INLINE KeyWords LoadKeys(const Key* const* keys) {
  KeyWords words;
  for (unsigned i = 0; i < 4; ++i) {
    words.at[i] = SwapOctets(_mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(keys[i]))),
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(keys[i + 4])), 1));
  }
  Transpose(words.at);
  return words;
}

AVX512_INLINE void StoreKeys(KeyWords words, unsigned num, Key* keys) {
  Transpose(words.at);
  for (unsigned i = 0; i < num; ++i) {
    const __m256i both = SwapOctets(words.at[i % 4]);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(&keys[i]),
                     i < 4 ? _mm256_castsi256_si128(both) : _mm256_extracti128_si256(both, 1));
  }
}

// start | 40 x 00 | session | 40 x F2 | 80 00 .. | length in bits (RFC 3079 s3.4, FIPS 180 s5.1.1).
AVX512_INLINE void MakeBlocks(unsigned key_words, const KeyWords& start, const KeyWords& session,
                              __m256i* words) {
  __m256i* at = words;
  const auto append = [&](const __m256i& word) AVX512 { *at++ = word; };
  for (unsigned i = 0; i < key_words; ++i) {
    append(start.at[i]);
  }
  for (unsigned i = 0; i < 10; ++i) {
    append(_mm256_setzero_si256());
  }
  for (unsigned i = 0; i < key_words; ++i) {
    append(session.at[i]);
  }
  for (unsigned i = 0; i < 10; ++i) {
    append(Constant(0xf2f2f2f2));
  }
  append(Constant(0x80000000));
  while (at < words + 31) {
    append(_mm256_setzero_si256());
  }
  append(Constant(2 * (32 * key_words + 320)));
}

AVX512 void Interim(const Key* const* start_keys, const Key* const* keys, size_t key_len,
                    unsigned num, Key* interim) {
  constexpr std::make_integer_sequence<unsigned, 80> kRounds;
  __m256i message[32];
  MakeBlocks(static_cast<unsigned>(key_len / 4), LoadKeys(start_keys), LoadKeys(keys), message);
  State state = {Constant(0x67452301), Constant(0xefcdab89), Constant(0x98badcfe),
                 Constant(0x10325476), Constant(0xc3d2e1f0)};
  for (unsigned block = 0; block < 2; ++block) {
    Words words;
    for (unsigned i = 0; i < 16; ++i) {
      words.at[i] = message[16 * block + i];
    }
    const State before = state;
    Rounds(&state, &words, kRounds);
    for (unsigned i = 0; i < 5; ++i) {
      state.at[i] = _mm256_add_epi32(state.at[i], before.at[i]);
    }
  }
  StoreKeys({state.at[0], state.at[1], state.at[2], state.at[3]}, num, interim);
}

}  // namespace

bool InterimByAvx512(const KeyChange* changes, unsigned num, Key* interim) {
  const size_t key_len = KeyLen(changes[0].bits);
  std::array<const Key*, kLanes> start_keys;
  std::array<const Key*, kLanes> keys;
  for (unsigned i = 0; i < kLanes; ++i) {
    const KeyChange& change = changes[i < num ? i : 0];
    if (KeyLen(change.bits) != key_len) {
      return false;
    }
    start_keys[i] = change.start_key;
    keys[i] = change.key;
  }
  Interim(start_keys.data(), keys.data(), key_len, num, interim);
  return true;
}

}  // namespace culvert::dataplane::mppe
