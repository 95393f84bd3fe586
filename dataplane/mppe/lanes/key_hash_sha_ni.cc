// SHA-1 of key changes by SHA-NI, for one, and two at a time.
// The 96 or 112 octets that are hashed are two blocks, most of which is known.
#include <immintrin.h>

#include <algorithm>
#include <utility>

#include "dataplane/mppe/lanes/key_hash.h"
#include "dataplane/mppe/lanes/key_hash_avx512.h"

#define SHA_NI __attribute__((target("sha,ssse3,sse4.1")))
#define SHA_NI_INLINE inline SHA_NI __attribute__((always_inline))

namespace culvert::dataplane::mppe {
namespace {

// Hash: words stand in the registers from the highest down, as the instructions want them.
struct Hash {
  __m128i abcd;
  __m128i e;
  __m128i words[4];  // the last sixteen of the message schedule
};

struct Message {
  __m128i blocks[2][4];
};

// Reverse turns octets as they come into words from the highest down.
SHA_NI_INLINE __m128i Reverse(__m128i octets) {
  return _mm_shuffle_epi8(octets, _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f));
}

// start | 40 x 00 | session | 40 x F2 | 80 00 .. | length in bits (RFC 3079 s3.4, FIPS 180 s5.1.1).
SHA_NI_INLINE void MakeMessage(const KeyChange& change, Message* message) {
  const __m128i none = _mm_setzero_si128();
  const __m128i filling = _mm_set1_epi8(static_cast<char>(0xf2));
  const __m128i start = _mm_loadu_si128(reinterpret_cast<const __m128i*>(change.start_key));
  const __m128i session = _mm_loadu_si128(reinterpret_cast<const __m128i*>(change.key));
  const __m128i end = _mm_set_epi64x(static_cast<int64_t>(0x8000000000000000), 0);
  auto& blocks = message->blocks;
  blocks[0][1] = none;
  blocks[0][2] = none;
  blocks[1][1] = filling;
  if (KeyLen(change.bits) == 16) {
    blocks[0][0] = Reverse(start);
    blocks[0][3] = Reverse(_mm_unpacklo_epi64(none, session));
    blocks[1][0] = Reverse(_mm_unpackhi_epi64(session, filling));
    blocks[1][2] = filling;
    blocks[1][3] = _mm_set_epi64x(static_cast<int64_t>(0x8000000000000000), 112 * 8);
  } else {
    blocks[0][0] = Reverse(_mm_unpacklo_epi64(start, none));
    blocks[0][3] = Reverse(_mm_unpacklo_epi64(session, filling));
    blocks[1][0] = filling;
    blocks[1][2] = end;
    blocks[1][3] = _mm_set_epi64x(0, 96 * 8);
  }
}

// Rounds 4 * kGroup to 4 * kGroup + 3.
template <unsigned kGroup>
SHA_NI_INLINE void Rounds(Hash* hash) {
  __m128i* words = hash->words;
  __m128i& own = words[kGroup % 4];
  if constexpr (kGroup >= 4) {
    own = _mm_sha1msg2_epu32(
        _mm_xor_si128(_mm_sha1msg1_epu32(own, words[(kGroup + 1) % 4]), words[(kGroup + 2) % 4]),
        words[(kGroup + 3) % 4]);
  }
  const __m128i e = kGroup == 0 ? _mm_add_epi32(hash->e, own) : _mm_sha1nexte_epu32(hash->e, own);
  hash->e = hash->abcd;
  hash->abcd = _mm_sha1rnds4_epu32(hash->abcd, e, kGroup / 5);
}

// Compress works on `kNum` hashes at a time.
template <unsigned kNum, unsigned... kGroup>
SHA_NI_INLINE void Compress(const Message* messages, unsigned block, Hash* hashes,
                            std::integer_sequence<unsigned, kGroup...> /*groups*/) {
  Hash before[kNum];
  for (unsigned i = 0; i < kNum; ++i) {
    before[i] = hashes[i];
    std::copy_n(messages[i].blocks[block], 4, hashes[i].words);
  }
  if constexpr (kNum == 1) {
    (Rounds<kGroup>(hashes), ...);
  } else {
    ((Rounds<kGroup>(hashes), Rounds<kGroup>(hashes + 1)), ...);
  }
  for (unsigned i = 0; i < kNum; ++i) {
    hashes[i].abcd = _mm_add_epi32(hashes[i].abcd, before[i].abcd);
    hashes[i].e = _mm_sha1nexte_epu32(hashes[i].e, before[i].e);
  }
}

template <unsigned kNum>
SHA_NI void InterimKeys(const KeyChange* changes, Key* interim) {
  constexpr std::make_integer_sequence<unsigned, 20> kGroups;
  Message messages[kNum];
  Hash hashes[kNum];
  for (unsigned i = 0; i < kNum; ++i) {
    MakeMessage(changes[i], &messages[i]);
    hashes[i].abcd = _mm_set_epi32(0x67452301, static_cast<int>(0xefcdab89),
                                   static_cast<int>(0x98badcfe), 0x10325476);
    hashes[i].e = _mm_set_epi32(static_cast<int>(0xc3d2e1f0), 0, 0, 0);
  }
  Compress<kNum>(messages, 0, hashes, kGroups);
  Compress<kNum>(messages, 1, hashes, kGroups);
  for (unsigned i = 0; i < kNum; ++i) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(&interim[i]), Reverse(hashes[i].abcd));
  }
}

class ShaNiKeyHash : public KeyHash {
 public:
  explicit ShaNiKeyHash(bool has_avx512) : has_avx512_(has_avx512) {}

  void Interim(const KeyChange* changes, unsigned num, Key* interim) override {
    // Eight in vectors take what four would one after the other.
    if (has_avx512_ && num >= 4 && InterimByAvx512(changes, num, interim)) {
      return;
    }
    unsigned i = 0;
    for (; i + 2 <= num; i += 2) {
      InterimKeys<2>(changes + i, interim + i);
    }
    if (i < num) {
      InterimKeys<1>(changes + i, interim + i);
    }
  }

 private:
  bool has_avx512_;
};

}  // namespace

std::unique_ptr<KeyHash> CreateShaNi(bool has_avx512) {
  return std::make_unique<ShaNiKeyHash>(has_avx512);
}

}  // namespace culvert::dataplane::mppe
