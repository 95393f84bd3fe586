// Wipe: zeroing that the compiler may not leave out.
#pragma once

#include <cstddef>
#include <cstring>

namespace culvert::dataplane::mppe {

inline void Wipe(void* memory, size_t len) {
  std::memset(memory, 0, len);
  asm volatile("" : : "r"(memory) : "memory");
}

}  // namespace culvert::dataplane::mppe
