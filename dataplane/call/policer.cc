#include "dataplane/call/policer.h"

#include <algorithm>

namespace culvert::dataplane {
namespace {

constexpr uint64_t kMinBurst = 9216;

uint64_t Burst(uint64_t asked, uint64_t bps) {
  return asked != 0 ? asked : std::max(kMinBurst, bps / 8 / 10);
}

}  // namespace

void Policer::Set(const PolicerSpec& spec) {
  if (spec == spec_) {
    return;
  }
  Clear();
  spec_ = spec;
  is_two_rate_ = spec.peak_bps != 0;
  const uint64_t committed = std::max<uint64_t>(1, spec.committed_bps / 8);
  const uint64_t committed_burst = Burst(spec.committed_burst, spec.committed_bps);
  if (is_two_rate_) {
    rte_meter_trtcm_params params{};
    params.cir = committed;
    params.pir = std::max(committed, spec.peak_bps / 8);
    params.cbs = committed_burst;
    params.pbs = Burst(spec.excess_burst, spec.peak_bps);
    rte_meter_trtcm_profile_config(&two_.profile, &params);
    rte_meter_trtcm_config(&two_.meter, &two_.profile);
    return;
  }
  rte_meter_srtcm_params params{};
  params.cir = committed;
  params.cbs = committed_burst;
  params.ebs = spec.excess_burst;
  rte_meter_srtcm_profile_config(&one_.profile, &params);
  rte_meter_srtcm_config(&one_.meter, &one_.profile);
}

}  // namespace culvert::dataplane
