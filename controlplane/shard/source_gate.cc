#include "controlplane/shard/source_gate.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "controlplane/shard/alarm.h"
#include "controlplane/shard/services.h"
#include "proto/config/address/address.h"

namespace culvert {

using Verdict = pptp::SourceLimits::Verdict;

namespace {

struct Refusal {
  std::string_view metric;
  std::string_view key;  // of the configuration
};

Refusal RefusalOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kTooMany:
      return {.metric = "too-many", .key = "pptp.max_connections"};
    case Verdict::kTooManyHalfOpen:
      return {.metric = "source-half-open", .key = "pptp.sources.max_half_open"};
    case Verdict::kTooManyConnections:
    case Verdict::kAdmit:
      break;
  }
  return {.metric = "source-connections", .key = "pptp.sources.max_connections"};
}

}  // namespace

bool SourceGate::AdmitConnection(uint32_t address) {
  const Verdict verdict = services_->source_limits->Connect(address);
  if (verdict == Verdict::kAdmit) {
    return true;
  }
  const Refusal refusal = RefusalOf(verdict);
  services_->metrics->OnConnectionRefused(refusal.metric);
  LogRefused("control connection", address, refusal.key);
  return false;
}

pptp::StartVerdict SourceGate::JudgeStart(uint32_t address,
                                          std::span<const config::Ipv4Prefix> allowed) {
  services_->source_limits->Start(address);
  if (std::any_of(allowed.begin(), allowed.end(),
                  [&](const config::Ipv4Prefix& prefix) { return prefix.Contains(address); })) {
    return pptp::StartVerdict::kAccept;
  }
  services_->metrics->OnConnectionRefused("not-allowed");
  LogRefused("control connection", address, "pptp.sources.allowed");
  return pptp::StartVerdict::kNotAuthorised;
}

bool SourceGate::AdmitCall(uint32_t address) {
  if (services_->source_limits->TakeCall(address, SteadyMs())) {
    return true;
  }
  services_->metrics->OnCallRefused("source-rate");
  LogRefused("call", address, "pptp.sources.calls_per_second");
  return false;
}

void SourceGate::OnClosed(uint32_t address, bool half_open) {
  services_->source_limits->Disconnect(address, half_open, SteadyMs());
}

void SourceGate::LogRefused(std::string_view what, uint32_t address, std::string_view why) {
  if (std::optional<uint64_t> left_out = log_limit_.Admit()) {
    spdlog::warn("{} from {} refused ({}); {} more refusals since the last such line", what,
                 config::FormatIpv4(address), why, *left_out);
  }
}

}  // namespace culvert
