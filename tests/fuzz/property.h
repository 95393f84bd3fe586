// Require is how a fuzz target asserts a property; only for fuzz targets.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "proto/wire/cursor.h"

namespace culvert::fuzz {

// Require aborts, which libFuzzer reports together with the input, unless `holds`.
inline void Require(bool holds, const char* property) {
  if (!holds) {
    std::fprintf(stderr, "property does not hold: %s\n", property);
    std::abort();
  }
}

inline bool Equal(wire::Octets a, wire::Octets b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

// IsPrefix: `whole` begins with `front`.
inline bool IsPrefix(wire::Octets front, wire::Octets whole) {
  return front.size() <= whole.size() && Equal(front, whole.first(front.size()));
}

}  // namespace culvert::fuzz
