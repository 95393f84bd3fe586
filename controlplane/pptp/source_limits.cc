#include "controlplane/pptp/source_limits.h"

#include <algorithm>

namespace culvert::pptp {

namespace {
constexpr uint64_t kUsPerMs = 1000;
constexpr uint64_t kUsPerSecond = 1'000'000;
constexpr size_t kForgetAtOnce = 2;  // more than one may come to rest at a time
}  // namespace

uint32_t SourceLimits::PrefixOf(uint32_t address) const {
  return prefix_len_ == 0 ? 0 : address & (UINT32_MAX << (32 - prefix_len_));
}

void SourceLimits::Reconfigure(const Settings& settings) {
  absl::MutexLock lock(&mutex_);
  const size_t max_total = settings_.max_total;
  settings_ = settings;
  settings_.max_total = max_total;
}

SourceLimits::Verdict SourceLimits::Connect(uint32_t address) {
  absl::MutexLock lock(&mutex_);
  if (settings_.max_total != 0 && total_ >= settings_.max_total) {
    return Verdict::kTooMany;
  }
  const uint32_t prefix = PrefixOf(address);
  if (const auto it = sources_.find(prefix); it != sources_.end()) {
    const Source& source = it->second;
    if (settings_.max_connections != 0 && source.num_connections >= settings_.max_connections) {
      return Verdict::kTooManyConnections;
    }
    if (settings_.max_half_open != 0 && source.num_half_open >= settings_.max_half_open) {
      return Verdict::kTooManyHalfOpen;
    }
  }
  Source& source = sources_[prefix];
  ++source.num_connections;
  ++total_;
  ++source.num_half_open;
  return Verdict::kAdmit;
}

void SourceLimits::Start(uint32_t address) {
  absl::MutexLock lock(&mutex_);
  if (const auto it = sources_.find(PrefixOf(address)); it != sources_.end()) {
    it->second.num_half_open -= it->second.num_half_open != 0 ? 1 : 0;
  }
}

void SourceLimits::Disconnect(uint32_t address, bool half_open, uint64_t now_ms) {
  absl::MutexLock lock(&mutex_);
  const uint64_t now_us = now_ms * kUsPerMs;
  ForgetRested(now_us);
  const uint32_t prefix = PrefixOf(address);
  const auto it = sources_.find(prefix);
  if (it == sources_.end()) {
    return;
  }
  --total_;
  Source& source = it->second;
  source.num_half_open -= half_open && source.num_half_open != 0 ? 1 : 0;
  if (--source.num_connections != 0) {
    return;
  }
  if (source.next_call_us <= now_us || settings_.max_remembered == 0) {
    sources_.erase(it);
    return;
  }
  // Forgetting it now would give a source that reconnects a full bucket.
  if (resting_.size() >= settings_.max_remembered) {
    ForgetOldest(UINT64_MAX);
  }
  resting_.push_back({.prefix = prefix, .until_us = source.next_call_us});
}

bool SourceLimits::TakeCall(uint32_t address, uint64_t now_ms) {
  absl::MutexLock lock(&mutex_);
  if (settings_.calls_per_s == 0) {
    return true;
  }
  const uint64_t now_us = now_ms * kUsPerMs;
  const uint64_t interval_us = kUsPerSecond / settings_.calls_per_s;
  Source& source = sources_[PrefixOf(address)];
  const uint64_t next_us = std::max(source.next_call_us, now_us);
  if (next_us - now_us > (settings_.call_burst - 1) * interval_us) {
    return false;
  }
  source.next_call_us = next_us + interval_us;
  return true;
}

void SourceLimits::ForgetRested(uint64_t now_us) {
  for (size_t i = 0; i < kForgetAtOnce && !resting_.empty(); ++i) {
    if (resting_.front().until_us > now_us) {
      return;
    }
    ForgetOldest(now_us);
  }
}

void SourceLimits::ForgetOldest(uint64_t now_us) {
  // One that has come back since is kept: it rests again when it goes, or does so already.
  const auto it = sources_.find(resting_.front().prefix);
  if (it != sources_.end() && it->second.num_connections == 0 &&
      it->second.next_call_us <= now_us) {
    sources_.erase(it);
  }
  resting_.pop_front();
}

size_t SourceLimits::num_sources() const {
  absl::MutexLock lock(&mutex_);
  return sources_.size();
}

}  // namespace culvert::pptp
