// Lanes: up to eight RC4 keystreams side by side, and the two ways to run them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/mppe/rc4.h"
#include "dataplane/mppe/session_key.h"

namespace culvert::dataplane::mppe {

constexpr unsigned kLanes = 8;
constexpr unsigned kBlockLen = 16;
constexpr unsigned kStreams = 4;  // more do not fit the registers

struct alignas(64) Lanes {
  uint8_t tables[4352];  // laid out as the kernels like it
  uint64_t j[kLanes];
  uint32_t i;  // the same in all; a multiple of kBlockLen
};

// Stream: a lane that has its table elsewhere.
struct Stream {
  Rc4Table* table;
  uint8_t* text;
};

// Kernels work on the lanes [0, num), num at least 1. They may do one lane more; its text must be
// writable, what is in it does not matter.
struct Kernels {
  // schedule makes the tables of keys of 16 octets (shorter ones are repeated to fill that).
  void (*schedule)(const Key* keys, unsigned num, Lanes* lanes);
  // crypt goes on by `num_blocks` whole blocks, text by text in place.
  void (*crypt)(Lanes* lanes, unsigned num, uint8_t* const* texts, size_t num_blocks);
  // crypt_key makes of a key what it is crypted with itself, apart from any lane.
  void (*crypt_key)(Key* key);
  // go_on does whole blocks of kStreams tables that stay where they are, all different.
  void (*go_on)(const Stream* streams, size_t num_blocks);
};

extern const Kernels kFastKernels;      // x86-64 with SSE4.1, without which DPDK does not start
extern const Kernels kPortableKernels;  // plain C++

}  // namespace culvert::dataplane::mppe
