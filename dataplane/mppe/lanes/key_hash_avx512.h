// The SHA-1 half of eight key changes in the lanes of vectors.
#pragma once

#include "dataplane/mppe/lanes/key_hash.h"

namespace culvert::dataplane::mppe {

// InterimByAvx512 is KeyHash::Interim for processors with AVX-512VL. It does nothing and gives
// false when keys of 8 and of 16 octets are mixed.
bool InterimByAvx512(const KeyChange* changes, unsigned num, Key* interim);

}  // namespace culvert::dataplane::mppe
