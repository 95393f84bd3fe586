#include "dataplane/mppe/rc4.h"

#include <cstring>

#include "dataplane/mppe/wipe.h"

namespace culvert::dataplane::mppe {

Rc4::Rc4(std::span<const uint8_t> key) {
  for (unsigned i = 0; i < 256; ++i) {
    s_[i] = static_cast<uint8_t>(i);
  }
  uint8_t j = 0;
  size_t k = 0;
  for (unsigned i = 0; i < 256; ++i) {
    const uint8_t s = s_[i];
    j = static_cast<uint8_t>(j + s + key[k]);
    s_[i] = s_[j];
    s_[j] = s;
    k = k + 1 == key.size() ? 0 : k + 1;
  }
}

Rc4::~Rc4() { Wipe(s_, sizeof(s_)); }

void Rc4::Crypt(std::span<uint8_t> data) {
  uint8_t i = i_;
  uint8_t j = j_;
  for (uint8_t& octet : data) {
    ++i;
    const uint8_t a = s_[i];
    j = static_cast<uint8_t>(j + a);
    const uint8_t b = s_[j];
    s_[i] = b;
    s_[j] = a;
    octet ^= s_[static_cast<uint8_t>(a + b)];
  }
  i_ = i;
  j_ = j;
}

}  // namespace culvert::dataplane::mppe
