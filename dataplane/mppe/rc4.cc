#include "dataplane/mppe/rc4.h"

#include "dataplane/mppe/wipe.h"

namespace culvert::dataplane::mppe {

void Schedule(std::span<const uint8_t> key, Rc4Table* table) {
  for (unsigned i = 0; i < 256; ++i) {
    table->s[i] = static_cast<uint8_t>(i);
  }
  uint8_t j = 0;
  size_t k = 0;
  for (unsigned i = 0; i < 256; ++i) {
    const uint8_t s = table->s[i];
    j = static_cast<uint8_t>(j + s + key[k]);
    table->s[i] = table->s[j];
    table->s[j] = s;
    k = k + 1 == key.size() ? 0 : k + 1;
  }
  table->i = 0;
  table->j = 0;
}

void Crypt(Rc4Table* table, std::span<uint8_t> data) {
  uint8_t i = table->i;
  uint8_t j = table->j;
  for (uint8_t& octet : data) {
    ++i;
    const uint8_t a = table->s[i];
    j = static_cast<uint8_t>(j + a);
    const uint8_t b = table->s[j];
    table->s[i] = b;
    table->s[j] = a;
    octet ^= table->s[static_cast<uint8_t>(a + b)];
  }
  table->i = i;
  table->j = j;
}

void Rewind(Rc4Table* table, size_t len) {
  uint8_t i = table->i;
  uint8_t j = table->j;
  for (; len > 0; --len) {
    const uint8_t a = table->s[j];
    table->s[j] = table->s[i];
    table->s[i] = a;
    j = static_cast<uint8_t>(j - a);
    --i;
  }
  table->i = i;
  table->j = j;
}

Rc4::~Rc4() { Wipe(&table_, sizeof(table_)); }

}  // namespace culvert::dataplane::mppe
