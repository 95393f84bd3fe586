#include "dataplane/mppe/lanes/group.h"

#include <algorithm>
#include <cstring>

#include "dataplane/mppe/wipe.h"

namespace culvert::dataplane::mppe {
namespace {

// XorShort is for less than a block, and touches nothing behind it.
void XorShort(uint8_t* text, const uint8_t* keystream, size_t len) {
  const auto step = [&]<typename T>(T /*width*/) {
    if ((len & sizeof(T)) != 0) {
      T a;
      T b;
      std::memcpy(&a, text, sizeof(T));
      std::memcpy(&b, keystream, sizeof(T));
      a = static_cast<T>(a ^ b);
      std::memcpy(text, &a, sizeof(T));
      text += sizeof(T);
      keystream += sizeof(T);
    }
  };
  step(uint64_t{});
  step(uint32_t{});
  step(uint16_t{});
  step(uint8_t{});
}

}  // namespace

Group::~Group() {
  Wipe(&lanes_, sizeof(lanes_));
  Wipe(keys_.data(), sizeof(keys_));
  Wipe(ends_.data(), sizeof(ends_));
}

void Group::SetKey(unsigned lane, const Key& key, uint16_t bits) {
  keys_[lane] = key;
  if (KeyLen(bits) == 8) {
    std::memcpy(keys_[lane].data() + 8, key.data(), 8);
  }
}

void Group::CryptKeys(unsigned num) {
  if (num == 1) {
    kernels_.crypt_key(&keys_[0]);
    return;
  }
  kernels_.schedule(keys_.data(), num, &lanes_);
  std::array<uint8_t*, kLanes> texts;
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    texts[lane] = keys_[lane].data();
  }
  kernels_.crypt(&lanes_, num, texts.data(), 1);
}

void Group::Crypt(uint8_t* const* texts, const uint16_t* lens, unsigned num) {
  Fetch(texts, num, 0, lens[0] / kBlockLen);
  kernels_.schedule(keys_.data(), num, &lanes_);
  size_t done = 0;  // blocks
  while (num > 0) {
    const size_t whole = lens[num - 1] / kBlockLen;
    CryptBlocks(texts, num, done, whole - done);
    done = whole;
    unsigned still = num;
    bool ends = false;
    while (still > 0 && lens[still - 1] / kBlockLen == done) {
      ends |= lens[--still] % kBlockLen != 0;
    }
    if (ends) {
      CryptEnds(texts, lens, still, num, done);
      ++done;
    }
    num = still;
  }
}

// Fetch brings the next stretch of the texts [0, num) near, from block `first` on, where `left` are
// left. Eight texts are more than the processor's own prefetching follows in time.
void Group::Fetch(uint8_t* const* texts, unsigned num, size_t first, size_t left) {
  constexpr size_t kCacheLine = 64;
  const size_t len = std::min(left, kStretch) * kBlockLen;
  for (size_t at = 0; at < len; at += kCacheLine) {
    for (unsigned lane = 0; lane < num; ++lane) {
      __builtin_prefetch(texts[lane] + first * kBlockLen + at, 1);
    }
  }
}

// CryptBlocks does the blocks [first, first + num_blocks) of the texts [0, num).
void Group::CryptBlocks(uint8_t* const* texts, unsigned num, size_t first, size_t num_blocks) {
  std::array<uint8_t*, kLanes + 1> at;
  at[num] = sink_.data();
  while (num_blocks > 0) {
    const size_t step = std::min(num_blocks, kStretch);
    Fetch(texts, num, first + step, num_blocks - step);
    for (unsigned lane = 0; lane < num; ++lane) {
      at[lane] = texts[lane] + first * kBlockLen;
    }
    kernels_.crypt(&lanes_, num, at.data(), step);
    first += step;
    num_blocks -= step;
  }
}

// CryptEnds does one more block; the texts [still, num) have less than that left, or nothing.
void Group::CryptEnds(uint8_t* const* texts, const uint16_t* lens, unsigned still, unsigned num,
                      size_t block) {
  std::array<uint8_t*, kLanes + 1> at;
  at[num] = sink_.data();
  for (unsigned lane = 0; lane < still; ++lane) {
    at[lane] = texts[lane] + block * kBlockLen;
  }
  for (unsigned lane = still; lane < num; ++lane) {
    ends_[lane] = {};
    at[lane] = ends_[lane].data();
  }
  kernels_.crypt(&lanes_, num, at.data(), 1);
  for (unsigned lane = still; lane < num; ++lane) {
    XorShort(texts[lane] + block * kBlockLen, ends_[lane].data(), lens[lane] % kBlockLen);
  }
}

}  // namespace culvert::dataplane::mppe
