#include "tools/bench_mppe/workload.h"

#include <algorithm>
#include <random>

namespace culvert::bench {
namespace {

constexpr unsigned kProtocolLen = 2;

std::vector<unsigned> Sizes(const Spec& spec, std::mt19937* random) {
  std::vector<unsigned> sizes(kBurst * kBursts, spec.size);
  if (spec.size == 0) {
    constexpr unsigned kMix[] = {64, 64, 64, 64, 64, 64, 64, 576, 576, 576, 576, 1400};
    for (size_t i = 0; i < sizes.size(); ++i) {
      sizes[i] = kMix[i % std::size(kMix)];
    }
    std::shuffle(sizes.begin(), sizes.end(), *random);
  }
  return sizes;
}

}  // namespace

Workload::Workload(const Spec& of) : spec(of), bursts(kBursts), start_keys(of.calls) {
  std::mt19937 random(spec.encrypt ? 2 : 1);
  for (auto& key : start_keys) {
    std::generate_n(key.begin(), dataplane::mppe::KeyLen(spec.bits),
                    [&] { return static_cast<uint8_t>(random()); });
  }
  const std::vector<unsigned> sizes = Sizes(spec, &random);
  for (unsigned i = 0; i < sizes.size(); ++i) {
    Burst& burst = bursts[i / kBurst];
    const unsigned call = i % spec.calls;
    Packet packet{call, dataplane::mppe::kNoPredecessor,
                  static_cast<uint16_t>(kProtocolLen + sizes[i]), texts_len};
    for (size_t before = 0; before < burst.size(); ++before) {
      if (burst[before].call == call) {
        packet.predecessor = static_cast<uint16_t>(before);
      }
    }
    burst.push_back(packet);
    texts_len += (packet.len + 127U) / 64 * 64;
    octets_per_packet += static_cast<double>(sizes[i]) / static_cast<double>(sizes.size());
  }
}

}  // namespace culvert::bench
