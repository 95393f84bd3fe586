// KeyHash: the SHA-1 half of a key change (RFC 3079 s3.4), for several calls at once.
#pragma once

#include <memory>

#include "dataplane/mppe/session_key.h"

namespace culvert::dataplane::mppe {

// KeyChange: one of them.
struct KeyChange {
  const Key* start_key;
  Key* key;  // the session key
  uint16_t bits;
};

class KeyHash {
 public:
  // Create gives nullptr when ipsec-mb cannot run on this processor. SHA-NI is used if `fast` and
  // the processor has it.
  static std::unique_ptr<KeyHash> Create(bool fast);
  virtual ~KeyHash() = default;
  KeyHash(const KeyHash&) = delete;
  KeyHash& operator=(const KeyHash&) = delete;

  // Interim gives the interim keys, as many octets as the keys have; those behind are anything.
  // `num` is at most kLanes.
  virtual void Interim(const KeyChange* changes, unsigned num, Key* interim) = 0;

 protected:
  KeyHash() = default;
};

// CreateShaNi is for processors that have SHA-NI, and perhaps AVX-512 with VL.
std::unique_ptr<KeyHash> CreateShaNi(bool has_avx512);

}  // namespace culvert::dataplane::mppe
