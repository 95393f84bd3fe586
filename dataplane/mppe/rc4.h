// RC4 in its plain form, for MPPE only (RFC 3078). Our own, since no library on the packet path has
// it.
#pragma once

#include <cstdint>
#include <span>

namespace culvert::dataplane::mppe {

class Rc4 {
 public:
  // Rc4 schedules a key of 1 to 256 octets.
  explicit Rc4(std::span<const uint8_t> key);
  ~Rc4();
  Rc4(const Rc4&) = delete;
  Rc4& operator=(const Rc4&) = delete;

  // Crypt encrypts or decrypts in place and goes on in the keystream.
  void Crypt(std::span<uint8_t> data);

 private:
  uint8_t s_[256];
  uint8_t i_ = 0;
  uint8_t j_ = 0;
};

}  // namespace culvert::dataplane::mppe
