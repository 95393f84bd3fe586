// Prefixes as ranges of 128-bit numbers.
#pragma once

#include <absl/numeric/int128.h>

#include "proto/config/address/address6.h"

namespace culvert::ipv6 {

[[nodiscard]] inline absl::uint128 NumberOf(const config::Ipv6Address& address) {
  uint64_t halves[2] = {};
  for (size_t i = 0; i < address.size(); ++i) {
    halves[i / 8] = halves[i / 8] << 8 | address[i];
  }
  return absl::MakeUint128(halves[0], halves[1]);
}

[[nodiscard]] inline config::Ipv6Address AddressOf(absl::uint128 number) {
  config::Ipv6Address address{};
  for (size_t i = address.size(); i-- > 0; number >>= 8) {
    address[i] = static_cast<uint8_t>(absl::Uint128Low64(number));
  }
  return address;
}

// HostBits of a length: all ones of the addresses in it.
[[nodiscard]] inline absl::uint128 HostBits(unsigned length) {
  return length == 0 ? ~absl::uint128{0} : (absl::uint128{1} << (128 - length)) - 1;
}

[[nodiscard]] inline absl::uint128 FirstOf(const config::Ipv6Prefix& prefix) {
  return NumberOf(prefix.address);
}
[[nodiscard]] inline absl::uint128 LastOf(const config::Ipv6Prefix& prefix) {
  return FirstOf(prefix) | HostBits(prefix.length);
}

}  // namespace culvert::ipv6
