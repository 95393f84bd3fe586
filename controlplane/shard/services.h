// Services: what shards share. All of it is for any thread and outlives the shards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "controlplane/aaa/admission.h"
#include "controlplane/dataplane_client/dataplane_client.h"
#include "controlplane/ipv6/link_settings.h"
#include "controlplane/management/call_change.h"
#include "controlplane/management/call_directory.h"
#include "controlplane/metrics/metrics.h"
#include "controlplane/ppp/call.h"
#include "controlplane/pptp/control_settings.h"
#include "controlplane/pptp/source_limits.h"
#include "culvert/dataplane/v1/dataplane.pb.h"
#include "proto/config/address/address.h"

namespace culvert {

class CallHooks;
class Drain;
namespace accounting {
class Accounting;
}

struct Services {
  std::shared_ptr<const pptp::ControlSettings> control_settings;
  std::shared_ptr<const ppp::PppSettings> ppp_settings;
  // What every call is programmed with, whoever it is: reordering, outer header, idle timeout.
  dataplane::v1::CallConfig call_template;
  bool honour_peer_window = false;
  std::vector<CallRates> listener_rates;  // as pptp.listen
  uint64_t call_id_rest_ms = 0;
  size_t max_connections = 0;   // of each shard
  uint64_t lcp_delay_ms = 300;  // of calls whose client sends no GRE packet before
  std::vector<config::Ipv4Prefix> allowed_sources;
  pptp::SourceLimits* source_limits = nullptr;
  std::shared_ptr<const ipv6::LinkSettings> link_settings = nullptr;  // IPv6; null: denied
  Admission* admission = nullptr;
  Drain* drain = nullptr;      // null: never
  CallHooks* hooks = nullptr;  // null: there are none
  DataplaneClient* dataplane = nullptr;
  CallDirectory* directory = nullptr;
  Metrics* metrics = nullptr;
  accounting::Accounting* accounting = nullptr;  // null: off
};

}  // namespace culvert
