// Options that cases send, as octets.
#pragma once

#include <cstdint>
#include <vector>

#include "proto/wire/byte_order.h"
#include "tools/load/conformance/session/session.h"

namespace culvert::load::conformance {

using Bytes = std::vector<uint8_t>;

// Magic is our magic number as an LCP option.
inline Bytes Magic(const Session& s) {
  Bytes out = {5, 6, 0, 0, 0, 0};
  wire::StoreBe32(&out[2], s.ppp.magic);
  return out;
}

inline Bytes Join(std::initializer_list<Bytes> parts) {
  Bytes out;
  for (const Bytes& part : parts) {
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

// MppeOption is CCP's option 18.
inline Bytes MppeOption(uint32_t bits) {
  Bytes out = {18, 6, 0, 0, 0, 0};
  wire::StoreBe32(&out[2], bits);
  return out;
}

// Ipcp option with an address, host order.
inline Bytes AddressOption(uint8_t type, uint32_t address) {
  Bytes out = {type, 6, 0, 0, 0, 0};
  wire::StoreBe32(&out[2], address);
  return out;
}

}  // namespace culvert::load::conformance
