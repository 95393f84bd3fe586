#pragma once

#include <cstdint>

namespace culvert {

// SessionTicket is one session's place among those of its user; to be given back with
// SessionLimits::Leave().
struct SessionTicket {
  uint64_t user = 0;  // a hash; 0: none
  uint64_t call = 0;
};

}  // namespace culvert
