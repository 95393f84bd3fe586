// The pptp.sources section.
#include "controlplane/settings.h"

namespace culvert {

pptp::SourceLimits::Settings MakeSourceLimits(const config::v1::Config& config) {
  const config::v1::Sources& from = config.pptp().sources();
  pptp::SourceLimits::Settings settings;
  settings.prefix_len = from.prefix_len();
  settings.max_connections = from.max_connections();
  settings.max_half_open = from.max_half_open();
  settings.max_total = config.pptp().max_connections();
  settings.calls_per_s = from.calls_per_second();
  settings.call_burst = from.call_burst();
  return settings;
}

std::vector<config::Ipv4Prefix> MakeAllowedSources(const config::v1::Config& config) {
  std::vector<config::Ipv4Prefix> allowed;
  for (const std::string& text : config.pptp().sources().allowed()) {
    if (std::optional<config::Ipv4Prefix> prefix = config::ParsePrefix(text)) {
      allowed.push_back(*prefix);
    }
  }
  return allowed;
}

}  // namespace culvert
