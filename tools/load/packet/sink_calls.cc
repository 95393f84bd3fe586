#include "tools/load/packet/sink_calls.h"

#include "tools/load/packet/inner.h"

namespace culvert::load {

namespace {
uint64_t KeyOf(const Probe& probe) { return uint64_t{probe.run} << 32 | probe.call; }
}  // namespace

SinkCalls::Call* SinkCalls::Take(const Probe& probe, size_t payload_len, uint64_t now_ms) {
  auto it = calls_.find(KeyOf(probe));
  if (it == calls_.end()) {
    if (calls_.size() >= kMaxCalls) {
      return nullptr;
    }
    it = calls_.emplace(KeyOf(probe), Call{}).first;
  }
  Call& call = it->second;
  call.seen_ms = now_ms;
  if (probe.kind != ProbeKind::kData) {
    return &call;
  }
  const Order::Place place = call.order.See(probe.sequence);
  for (SinkCounts* counts : {&call.counts, &total_}) {
    if (place == Order::Place::kDuplicate) {
      ++counts->duplicated;
      continue;
    }
    counts->late += place == Order::Place::kNext ? 0 : 1;
    ++counts->packets;
    counts->octets += kIpUdpLen + payload_len;
  }
  return &call;
}

void SinkCalls::TakeCorrupted(const Probe& probe) {
  ++total_.corrupted;
  if (const auto it = calls_.find(KeyOf(probe)); it != calls_.end()) {
    ++it->second.counts.corrupted;
  }
}

void SinkCalls::CountAnswers(Call* call, uint32_t packets, uint64_t octets) {
  for (SinkCounts* counts : {&call->counts, &total_}) {
    counts->answers += packets;
    counts->answer_octets += octets;
  }
}

void SinkCalls::Forget(uint64_t now_ms) {
  const uint64_t after_ms = calls_.size() < kMaxCalls * 3 / 4 ? kForgetMs : kForgetFullMs;
  absl::erase_if(calls_,
                 [&](const auto& entry) { return now_ms - entry.second.seen_ms > after_ms; });
}

}  // namespace culvert::load
