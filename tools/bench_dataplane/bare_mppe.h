// BareMppe: the engine alone, as in `tools/bench mppe`: the whole path is compared with it.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "dataplane/mppe/engine.h"

namespace culvert::bench {

class BareMppe {
 public:
  // `size`: octets of the inner packet.
  explicit BareMppe(unsigned size);
  // Run gives the ticks that a packet took, in bursts of 32 of 32 calls.
  double Run();

 private:
  static constexpr unsigned kBurst = 32;
  std::unique_ptr<dataplane::mppe::Engine> engine_;
  std::array<dataplane::mppe::Key, kBurst> start_keys_{};
  std::array<dataplane::mppe::StatelessJob, kBurst> jobs_{};
  std::vector<uint8_t> texts_;
};

}  // namespace culvert::bench
