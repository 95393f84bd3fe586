// Readings: values that another part counts, kept as last read and given to Prometheus as they
// are. Any thread.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "controlplane/dataplane_client/last_round.h"
#include "controlplane/management/call_directory.h"
#include "controlplane/metrics/metrics.h"
#include "controlplane/ppp/call.h"
#include "controlplane/pptp/control_settings.h"
#include "culvert/dataplane/v1/dataplane.pb.h"

namespace culvert {

class Readings final : public prometheus::Collectable {
 public:
  explicit Readings(const CallDirectory* directory) : directory_(directory) {}

  void SetControl(size_t shard, const pptp::ControlCounters& totals);
  void SetPpp(size_t shard, const ppp::PppCounters& totals);
  void SetLinks(size_t shard, const ipv6::LinkCounters& totals);
  void SetPoolSource(std::function<std::vector<PoolUsage>()> source);
  void SetDataplaneUp(bool up);
  void SetDataplane(const dataplane::v1::CountersResponse& round);

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const CallDirectory* const directory_;
  mutable std::mutex mutex_;
  std::map<size_t, pptp::ControlCounters> control_;  // by shard
  std::map<size_t, ppp::PppCounters> ppp_;
  std::map<size_t, ipv6::LinkCounters> links_;
  std::function<std::vector<PoolUsage>()> pool_source_;
  bool dataplane_up_ = false;
  LastRound dataplane_;
};

}  // namespace culvert
