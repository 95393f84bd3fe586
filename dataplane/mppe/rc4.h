// RC4 in its plain form, for MPPE only (RFC 3078). Our own, since no library on the packet path has
// it. engine.h has the fast forms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace culvert::dataplane::mppe {

// Rc4Table: a running keystream as plain octets, for memory that processes share.
struct Rc4Table {
  uint8_t s[256];
  uint8_t i;  // of the last octet made
  uint8_t j;
};
static_assert(sizeof(Rc4Table) == 258);

// Schedule makes the table of a key of 1 to 256 octets, before its first octet.
void Schedule(std::span<const uint8_t> key, Rc4Table* table);

// Crypt encrypts or decrypts in place and goes on in the keystream.
void Crypt(Rc4Table* table, std::span<uint8_t> data);

// Rewind goes back by `len` octets, at most as many as were made since Schedule.
void Rewind(Rc4Table* table, size_t len);

// Rc4 is a table that wipes itself.
class Rc4 {
 public:
  explicit Rc4(std::span<const uint8_t> key) { Schedule(key, &table_); }
  ~Rc4();
  Rc4(const Rc4&) = delete;
  Rc4& operator=(const Rc4&) = delete;

  void Crypt(std::span<uint8_t> data) { mppe::Crypt(&table_, data); }

 private:
  Rc4Table table_;
};

}  // namespace culvert::dataplane::mppe
