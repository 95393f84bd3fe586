// Network byte order as types. A Be16 or Be32 is the octets on the wire; it
// has no arithmetic and converts only through FromHost() and ToHost().
#pragma once

#include <bit>
#include <compare>
#include <cstdint>
#include <cstring>

namespace culvert::wire {

constexpr uint16_t SwapIfLittle(uint16_t v) {
  return std::endian::native == std::endian::little ? __builtin_bswap16(v) : v;
}
constexpr uint32_t SwapIfLittle(uint32_t v) {
  return std::endian::native == std::endian::little ? __builtin_bswap32(v) : v;
}

template <typename T>
class BigEndian {
 public:
  constexpr BigEndian() = default;
  static constexpr BigEndian FromHost(T host) { return FromRaw(SwapIfLittle(host)); }
  // FromRaw takes a value that is already in network order in memory (as read by memcpy).
  static constexpr BigEndian FromRaw(T raw) {
    BigEndian b;
    b.raw_ = raw;
    return b;
  }
  [[nodiscard]] constexpr T ToHost() const { return SwapIfLittle(raw_); }
  [[nodiscard]] constexpr T Raw() const { return raw_; }
  constexpr bool operator==(const BigEndian&) const = default;

 private:
  T raw_ = 0;
};

using Be16 = BigEndian<uint16_t>;
using Be32 = BigEndian<uint32_t>;
static_assert(sizeof(Be16) == 2 && sizeof(Be32) == 4);

// LoadBe16, LoadBe32, StoreBe16 and StoreBe32 turn octets on the wire, at any alignment, into
// integers and back. Callers have checked that the octets are there.
inline uint16_t LoadBe16(const uint8_t* from) {
  uint16_t raw;
  std::memcpy(&raw, from, sizeof(raw));
  return SwapIfLittle(raw);
}
inline uint32_t LoadBe32(const uint8_t* from) {
  uint32_t raw;
  std::memcpy(&raw, from, sizeof(raw));
  return SwapIfLittle(raw);
}
inline void StoreBe16(uint8_t* to, uint16_t host) {
  const uint16_t raw = SwapIfLittle(host);
  std::memcpy(to, &raw, sizeof(raw));
}
inline void StoreBe32(uint8_t* to, uint32_t host) {
  const uint32_t raw = SwapIfLittle(host);
  std::memcpy(to, &raw, sizeof(raw));
}

}  // namespace culvert::wire
