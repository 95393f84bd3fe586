#include "tools/bench_dataplane/bare_mppe.h"

#include <rte_cycles.h>
#include <rte_mbuf.h>

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

double BareMppe::RunOver(std::span<rte_mbuf* const> mbufs) {
  constexpr size_t kTextOffset = 12;  // two octets before the IP packet in an Ethernet frame
  std::array<mppe::StatelessJob, kBurst> jobs = jobs_;
  const uint64_t start = rte_rdtsc();
  for (size_t first = 0; first < mbufs.size(); first += kBurst) {
    for (size_t i = 0; i < kBurst; ++i) {
      jobs[i].text = rte_pktmbuf_mtod(mbufs[first + i], uint8_t*) + kTextOffset;
    }
    engine_->Run(jobs);
  }
  return static_cast<double>(rte_rdtsc() - start) / static_cast<double>(mbufs.size());
}

}  // namespace culvert::bench
