#include "controlplane/accounting/settings.h"

#include <algorithm>

namespace culvert::accounting {

AccountingSettings MakeSettings(const config::v1::Config& config) {
  const config::v1::Accounting& from = config.accounting();
  AccountingSettings settings;
  settings.spool.path = from.spool();
  settings.spool.max_octets = uint64_t{from.spool_limit_mb()} << 20;
  settings.spool.alert_percent = from.spool_alert_percent();
  settings.interims.interval_s = from.interim_interval_s();
  settings.interims.jitter_percent = from.interim_jitter_percent();
  settings.interims.checkpoint_s = from.checkpoint_s();
  settings.max_in_flight = from.max_in_flight();
  return settings;
}

bool HasServers(const config::v1::Config& config) {
  const auto& servers = config.radius().servers();
  return std::any_of(servers.begin(), servers.end(), [](const config::v1::RadiusServer& server) {
    return !server.has_acct_port() || server.acct_port() != 0;
  });
}

std::vector<std::pair<uint64_t, Traffic>> TrafficOf(const dataplane::v1::CountersResponse& round) {
  std::vector<std::pair<uint64_t, Traffic>> by_handle;
  by_handle.reserve(static_cast<size_t>(round.calls_size()));
  for (const dataplane::v1::CallCounters& counters : round.calls()) {
    by_handle.emplace_back(counters.handle(),
                           Traffic{.input_octets = counters.upstream_octets(),
                                   .input_packets = counters.upstream_packets(),
                                   .output_octets = counters.downstream_octets(),
                                   .output_packets = counters.downstream_packets()});
  }
  return by_handle;
}

}  // namespace culvert::accounting
