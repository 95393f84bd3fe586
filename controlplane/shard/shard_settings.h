// ShardSettings: what the configuration says about connections and calls. A reload gives the shards
// another; connections and calls go on with the one they began with.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "controlplane/ipv6/link_settings.h"
#include "controlplane/management/call_change.h"
#include "controlplane/ppp/call.h"
#include "controlplane/pptp/control_settings.h"
#include "culvert/dataplane/v1/dataplane.pb.h"
#include "proto/config/address/address.h"

namespace culvert {

struct ShardSettings {
  std::shared_ptr<const pptp::ControlSettings> control;
  std::shared_ptr<const ppp::PppSettings> ppp;
  std::shared_ptr<const ipv6::LinkSettings> link = nullptr;  // IPv6; null: denied
  // What every call is programmed with, whoever it is: reordering, outer header, idle timeout.
  dataplane::v1::CallConfig call_template;
  bool honour_peer_window = false;
  std::vector<CallRates> listener_rates;  // as pptp.listen
  uint64_t lcp_delay_ms = 300;            // of calls whose client sends no GRE packet before
  std::vector<config::Ipv4Prefix> allowed_sources;
};

}  // namespace culvert
