// Services: what shards share. All of it is for any thread and outlives the shards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "controlplane/aaa/admission.h"
#include "controlplane/dataplane_client/dataplane_client.h"
#include "controlplane/management/call_directory.h"
#include "controlplane/metrics/metrics.h"
#include "controlplane/pptp/source_limits.h"
#include "controlplane/shard/shard_settings.h"

namespace culvert {

class CallHooks;
class Drain;
namespace accounting {
class Accounting;
}

struct Services {
  std::shared_ptr<const ShardSettings> settings;  // at start; then see Shard::Reconfigure()
  uint64_t call_id_rest_ms = 0;
  pptp::SourceLimits* source_limits = nullptr;
  Admission* admission = nullptr;
  Drain* drain = nullptr;      // null: never
  CallHooks* hooks = nullptr;  // null: there are none
  DataplaneClient* dataplane = nullptr;
  CallDirectory* directory = nullptr;
  Metrics* metrics = nullptr;
  accounting::Accounting* accounting = nullptr;  // null: off
};

}  // namespace culvert
