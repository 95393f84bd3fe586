// BareMppe: the engine alone: the whole path is compared with it.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/mppe/engine.h"

struct rte_mbuf;

namespace culvert::bench {

class BareMppe {
 public:
  // `size`: octets of the inner packet.
  explicit BareMppe(unsigned size);
  // Both give the ticks that a packet took, in bursts of 32 of 32 calls. Run is as in `tools/bench
  // mppe`: the same 32 texts again and again, which stay in the nearest cache. RunOver takes its
  // texts from packets, each once, as the path does; a multiple of 32 of them.
  double Run();
  double RunOver(std::span<rte_mbuf* const> mbufs);

 private:
  static constexpr unsigned kBurst = 32;
  std::unique_ptr<dataplane::mppe::Engine> engine_;
  std::array<dataplane::mppe::Key, kBurst> start_keys_{};
  std::array<dataplane::mppe::StatelessJob, kBurst> jobs_{};
  std::vector<uint8_t> texts_;
};

}  // namespace culvert::bench
