// Group: up to eight texts of unequal length under keys of their own, in the lanes of a kernel.
#pragma once

#include <array>

#include "dataplane/mppe/lanes/lanes.h"

namespace culvert::dataplane::mppe {

class Group {
 public:
  explicit Group(const Kernels& kernels) : kernels_(kernels) {}
  ~Group();
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  // The key of a lane, filled to 16 octets; set before Crypt.
  Key& key(unsigned lane) { return keys_[lane]; }
  // SetKey takes the first KeyLen() octets.
  void SetKey(unsigned lane, const Key& key, uint16_t bits);

  // Crypt does texts [0, num), longest first, in place.
  void Crypt(uint8_t* const* texts, const uint16_t* lens, unsigned num);

  // CryptKeys makes of the keys [0, num) what they are crypted with themselves: the RC4 half of a
  // key change (RFC 3079 s3.4).
  void CryptKeys(unsigned num);

 private:
  static void Fetch(uint8_t* const* texts, unsigned num, size_t first, size_t left);
  void CryptBlocks(uint8_t* const* texts, unsigned num, size_t first, size_t num_blocks);
  void CryptEnds(uint8_t* const* texts, const uint16_t* lens, unsigned still, unsigned num,
                 size_t block);

  // What is done in one go, while the texts' next such part is fetched.
  static constexpr size_t kStretch = 16;  // blocks

  const Kernels& kernels_;
  Lanes lanes_{};
  std::array<Key, kLanes> keys_{};
  std::array<std::array<uint8_t, kBlockLen>, kLanes> ends_{};
  std::array<uint8_t, kStretch * kBlockLen> sink_{};  // the text of a lane that has none
};

}  // namespace culvert::dataplane::mppe
