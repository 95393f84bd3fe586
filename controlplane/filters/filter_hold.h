// FilterHold: a call's share in a packet filter: as long as there is one, the data plane has it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace culvert {

struct HeldFilter {
  uint32_t id = 0;   // in the data plane
  std::string name;  // for operators
};

// Null: no filter. Any thread.
using FilterHold = std::shared_ptr<const HeldFilter>;

}  // namespace culvert
