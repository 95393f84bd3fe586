// The kernels in plain C++: every lane has its table to itself.
#include <cstring>

#include "dataplane/mppe/lanes/lanes.h"

namespace culvert::dataplane::mppe {
namespace {

constexpr unsigned kTableLen = 320;  // not all tables on the same lines of the cache
static_assert(sizeof(Lanes::tables) >= kLanes * kTableLen);

void Schedule(const Key* keys, unsigned num, Lanes* lanes) {
  for (unsigned lane = 0; lane < num; ++lane) {
    for (unsigned i = 0; i < 256; ++i) {
      lanes->tables[lane * kTableLen + i] = static_cast<uint8_t>(i);
    }
    lanes->j[lane] = 0;
  }
  lanes->i = 0;
  uint8_t j[kLanes] = {};
  for (unsigned i = 0; i < 256; ++i) {
    for (unsigned lane = 0; lane < num; ++lane) {
      uint8_t* s = lanes->tables + lane * kTableLen;
      const uint8_t a = s[i];
      j[lane] = static_cast<uint8_t>(j[lane] + a + keys[lane][i % sizeof(Key)]);
      s[i] = s[j[lane]];
      s[j[lane]] = a;
    }
  }
}

void Crypt(Lanes* lanes, unsigned num, uint8_t* const* texts, size_t num_blocks) {
  auto i = static_cast<uint8_t>(lanes->i);
  for (size_t at = 0; at < num_blocks * kBlockLen; ++at) {
    ++i;
    for (unsigned lane = 0; lane < num; ++lane) {
      uint8_t* s = lanes->tables + lane * kTableLen;
      const uint8_t a = s[i];
      const auto j = static_cast<uint8_t>(lanes->j[lane] + a);
      const uint8_t b = s[j];
      s[j] = a;
      s[i] = b;
      lanes->j[lane] = j;
      texts[lane][at] ^= s[static_cast<uint8_t>(a + b)];
    }
  }
  lanes->i = i;
}

void CryptKey(Key* key) {
  Rc4 rc4(*key);  // before its key changes
  rc4.Crypt(*key);
}

void GoOn(const Stream* streams, size_t num_blocks) {
  for (unsigned stream = 0; stream < kStreams; ++stream) {
    mppe::Crypt(streams[stream].table, {streams[stream].text, num_blocks * kBlockLen});
  }
}

}  // namespace

const Kernels kPortableKernels = {Schedule, Crypt, CryptKey, GoOn};

}  // namespace culvert::dataplane::mppe
