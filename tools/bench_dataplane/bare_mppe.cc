#include "tools/bench_dataplane/bare_mppe.h"

#include <rte_cycles.h>

#include <algorithm>

namespace culvert::bench {

namespace mppe = dataplane::mppe;

BareMppe::BareMppe(unsigned size) : engine_(mppe::Engine::Create()) {
  constexpr size_t kProtocolLen = 2;
  const size_t len = kProtocolLen + size;
  const size_t step = (len + 127) / 64 * 64;
  texts_.resize(kBurst * step);
  for (unsigned i = 0; i < kBurst; ++i) {
    start_keys_[i].fill(static_cast<uint8_t>(i));
    jobs_[i] = {
        &start_keys_[i],     start_keys_[i], &texts_[i * step], 1, static_cast<uint16_t>(len), 128,
        mppe::kNoPredecessor};
  }
}

double BareMppe::Run() {
  constexpr unsigned kBursts = 16;
  const uint64_t start = rte_rdtsc();
  for (unsigned i = 0; i < kBursts; ++i) {
    engine_->Run(jobs_);
  }
  return static_cast<double>(rte_rdtsc() - start) / (kBursts * kBurst);
}

}  // namespace culvert::bench
