// Metrics: what Prometheus is told of both processes. On...() count an event, Set...() replace
// what is known; both may be called by any thread and wait for nobody but a scrape's copy.
#pragma once

#include <prometheus/registry.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/aaa/authentication.h"
#include "controlplane/ipv6/link.h"
#include "controlplane/metrics/reading.h"
#include "controlplane/ppp/call.h"
#include "controlplane/pptp/control_settings.h"
#include "culvert/dataplane/v1/dataplane.pb.h"

namespace culvert {

class CallDirectory;
class Readings;
class Sources;

struct PoolUsage {
  std::string name;
  uint64_t used = 0;
  uint64_t total = 0;
  uint64_t resting = 0;
  uint64_t refused = 0;  // calls that found it empty
};

// Texts given as `reason` or `error` become labels: they must be from a fixed set and hold
// nothing of a peer. As a second line, a counter takes 64 of them; the rest is "other".
class Metrics {
 public:
  // `directory` outlives the metrics; nullptr: no calls by state.
  Metrics(const std::string& version, const CallDirectory* directory);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Control connections.
  void OnConnectionAccepted();
  void OnConnectionRefused(std::string_view reason);  // too many, no Start in time
  void OnConnectionClosed(std::string_view reason);   // of one that was accepted

  // Calls. `setup_s`: from Outgoing-Call-Request to traffic.
  void OnCallStarted();
  void OnCallRefused(std::string_view reason);
  void OnCallUp(double setup_s);
  void OnCallEnded(std::string_view reason);
  void OnAuthentication(AuthMethod method, AuthVerdict verdict);

  // SetControlCounters, SetPppCounters: totals of one shard, from 0; shards are added up.
  void SetControlCounters(size_t shard, const pptp::ControlCounters& totals);
  void SetPppCounters(size_t shard, const ppp::PppCounters& totals);
  void SetLinkCounters(size_t shard, const ipv6::LinkCounters& totals);
  // SetPoolSource: called at each scrape, by the exporter's thread.
  void SetPoolSource(std::function<std::vector<PoolUsage>()> source);

  // AddSource: called at each scrape, until the metrics and their exporter have gone.
  void AddSource(ReadingSource source);

  // SetDataplaneUp: whether the data plane answers. Its counters are left out while it does not.
  void SetDataplaneUp(bool up);
  // OnDataplaneCounters takes each message of the counter rounds.
  void OnDataplaneCounters(const dataplane::v1::CountersResponse& round);

  // Collect: all metrics, in Prometheus's text format. For tests and logs; the exporter serves
  // the same.
  [[nodiscard]] std::string Collect() const;

 private:
  friend class MetricsExporter;
  struct Counters;

  std::shared_ptr<prometheus::Registry> registry_;
  std::unique_ptr<Counters> counters_;
  std::shared_ptr<Readings> readings_;  // what other parts count
  std::shared_ptr<Sources> sources_;
};

}  // namespace culvert
