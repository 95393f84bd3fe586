#include "controlplane/metrics/readings.h"

#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "controlplane/metrics/control_readings.h"
#include "controlplane/metrics/family.h"

namespace culvert {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;
MetricFamily CallsByState(const CallDirectory& directory) {
  MetricFamily family = FamilyOf(MetricType::Gauge, "calls", "Live calls by state");
  const auto counts = directory.CountByPhase();
  using ppp::Phase;
  // A call whose LCP has not begun is shown as one that begins.
  AddValue(
      counts[static_cast<size_t>(Phase::kDead)] + counts[static_cast<size_t>(Phase::kEstablish)],
      {{"state", PhaseName(Phase::kEstablish)}}, &family);
  for (const Phase phase :
       {Phase::kAuthenticate, Phase::kNetwork, Phase::kOpen, Phase::kTerminate}) {
    AddValue(counts[static_cast<size_t>(phase)], {{"state", PhaseName(phase)}}, &family);
  }
  return family;
}

template <typename Counters>
struct Column {
  const char* name;
  const char* help;
  uint64_t Counters::*value;
};
constexpr Column<ppp::PppCounters> kPppColumns[] = {
    {"malformed_frames_total", "PPP frames with no protocol", &ppp::PppCounters::malformed_frames},
    {"malformed_packets_total", "PPP control packets with a wrong length",
     &ppp::PppCounters::malformed_packets},
    {"malformed_options_total", "PPP options with a wrong length",
     &ppp::PppCounters::malformed_options},
    {"unknown_protocols_total", "PPP frames answered with Protocol-Reject",
     &ppp::PppCounters::unknown_protocols},
    {"unknown_codes_total", "PPP control packets answered with Code-Reject",
     &ppp::PppCounters::unknown_codes},
    {"bad_identifiers_total", "PPP replies to nothing that was sent",
     &ppp::PppCounters::bad_identifiers},
    {"out_of_phase_total", "PPP control packets before or after their phase",
     &ppp::PppCounters::out_of_phase},
};

constexpr Column<ipv6::LinkCounters> kLinkColumns[] = {
    {"advertisements_total", "Router advertisements sent", &ipv6::LinkCounters::advertisements},
    {"dhcp_replies_total", "DHCPv6 messages sent", &ipv6::LinkCounters::dhcp_replies},
    {"malformed_total", "IPv6 packets to the router that were not understood",
     &ipv6::LinkCounters::malformed},
    {"ignored_total", "IPv6 packets to the router that asked nothing of it",
     &ipv6::LinkCounters::ignored},
};

// AddColumns adds up what the shards have.
template <typename Counters, size_t kNum>
void AddColumns(const char* prefix, const Column<Counters> (&columns)[kNum],
                const std::map<size_t, Counters>& shards, std::vector<MetricFamily>* families) {
  for (const Column<Counters>& column : columns) {
    MetricFamily family =
        FamilyOf(MetricType::Counter, std::string(prefix) + column.name, column.help);
    uint64_t sum = 0;
    for (const auto& [shard, counters] : shards) sum += counters.*column.value;
    AddValue(sum, {}, &family);
    families->push_back(std::move(family));
  }
}

void AddPools(const std::vector<PoolUsage>& pools, std::vector<MetricFamily>* families) {
  MetricFamily total =
      FamilyOf(MetricType::Gauge, "pool_addresses", "Addresses for clients, by pool");
  MetricFamily used =
      FamilyOf(MetricType::Gauge, "pool_addresses_used", "Addresses that clients have, by pool");
  MetricFamily resting = FamilyOf(MetricType::Gauge, "pool_addresses_resting",
                                  "Free addresses that calls had a moment ago, by pool");
  MetricFamily refused = FamilyOf(MetricType::Counter, "pool_refused_total",
                                  "Calls without an address, by the pool that was empty last");
  for (const PoolUsage& pool : pools) {
    AddValue(pool.total, {{"pool", pool.name}}, &total);
    AddValue(pool.used, {{"pool", pool.name}}, &used);
    AddValue(pool.resting, {{"pool", pool.name}}, &resting);
    AddValue(pool.refused, {{"pool", pool.name}}, &refused);
  }
  for (MetricFamily* family : {&total, &used, &resting, &refused}) {
    families->push_back(std::move(*family));
  }
}

struct WorkerColumn {
  const char* name;
  const char* help;
  uint64_t (dataplane::v1::WorkerCounters::*value)() const;
};
using Worker = dataplane::v1::WorkerCounters;
const WorkerColumn kWorkerColumns[] = {
    {"received_packets_total", "Packets that workers took from ports", &Worker::received},
    {"transmitted_packets_total", "Packets that workers sent to ports", &Worker::transmitted},
    {"punted_total", "Packets for the kernel or the control plane", &Worker::punted},
    {"handed_over_total", "Packets handed to the worker that has the call", &Worker::handed_over},
    {"icmp_errors_total", "ICMP errors sent", &Worker::icmp_errors},
    {"icmp_suppressed_total", "ICMP errors too many to be sent", &Worker::icmp_suppressed},
    {"consumed_total", "Acknowledgements and the like, which end here", &Worker::consumed},
};

void AddWorkers(const dataplane::v1::CountersResponse& round, std::vector<MetricFamily>* families) {
  for (const WorkerColumn& column : kWorkerColumns) {
    MetricFamily family =
        FamilyOf(MetricType::Counter, std::string("dataplane_") + column.name, column.help);
    for (const Worker& worker : round.workers()) {
      AddValue((worker.*column.value)(), {{"worker", std::to_string(worker.worker())}}, &family);
    }
    families->push_back(std::move(family));
  }
  MetricFamily drops = FamilyOf(MetricType::Counter, "dataplane_drops_total",
                                "Packets not forwarded, by reason (docs: drop reasons)");
  for (const Worker& worker : round.workers()) {
    for (const auto& drop : worker.drops()) {
      AddValue(drop.packets(),
               {{"worker", std::to_string(worker.worker())}, {"reason", drop.reason()}}, &drops);
    }
  }
  families->push_back(std::move(drops));
}

struct DepthColumn {
  const char* name;
  const char* help;
  uint32_t (Worker::*value)() const;
};
const DepthColumn kDepthColumns[] = {
    {"hand_over_depth", "Packets that wait in the rings to a worker from others",
     &Worker::hand_over_depth},
    {"punted_depth", "Packets that wait in a worker's rings to the kernel and the control plane",
     &Worker::punted_depth},
    {"events_depth", "Events of calls that wait for the control plane", &Worker::events_depth},
};

void AddStages(const dataplane::v1::CountersResponse& round, std::vector<MetricFamily>* families) {
  MetricFamily packets = FamilyOf(MetricType::Counter, "dataplane_stage_packets_total",
                                  "Packets that a worker's stage has handled");
  MetricFamily cycles = FamilyOf(MetricType::Counter, "dataplane_stage_cycles_total",
                                 "Cycles of the time stamp counter that a stage has taken");
  for (const Worker& worker : round.workers()) {
    for (const auto& stage : worker.stages()) {
      const Labels labels = {{"worker", std::to_string(worker.worker())}, {"stage", stage.name()}};
      AddValue(stage.packets(), labels, &packets);
      AddValue(stage.cycles(), labels, &cycles);
    }
  }
  families->push_back(std::move(packets));
  families->push_back(std::move(cycles));
  for (const DepthColumn& column : kDepthColumns) {
    MetricFamily family =
        FamilyOf(MetricType::Gauge, std::string("dataplane_") + column.name, column.help);
    for (const Worker& worker : round.workers()) {
      AddValue((worker.*column.value)(), {{"worker", std::to_string(worker.worker())}}, &family);
    }
    families->push_back(std::move(family));
  }
}

// AddRounds makes of a worker's counts what Prometheus wants: how many were no longer than each.
void AddRounds(const dataplane::v1::CountersResponse& round, std::vector<MetricFamily>* families) {
  MetricFamily family = FamilyOf(MetricType::Histogram, "dataplane_round_seconds",
                                 "How long a worker's rounds took: packets wait meanwhile");
  MetricFamily longest = FamilyOf(MetricType::Gauge, "dataplane_longest_round_microseconds",
                                  "The longest round of a worker so far");
  for (const Worker& worker : round.workers()) {
    prometheus::ClientMetric metric;
    metric.label = {{"worker", std::to_string(worker.worker())}};
    for (int i = 0; i < worker.rounds_size(); ++i) {
      metric.histogram.sample_count += worker.rounds(i);
      const bool is_last = i + 1 == worker.rounds_size();
      metric.histogram.bucket.push_back(
          {.cumulative_count = metric.histogram.sample_count,
           .upper_bound = is_last ? std::numeric_limits<double>::infinity() : std::ldexp(1e-6, i)});
    }
    metric.histogram.sample_sum = static_cast<double>(worker.rounds_us()) * 1e-6;
    AddValue(worker.longest_round_us(), metric.label, &longest);
    family.metric.push_back(std::move(metric));
  }
  families->push_back(std::move(family));
  families->push_back(std::move(longest));
}

using Port = dataplane::v1::PortCounters;
struct PortColumn {
  const char* name;
  const char* help;
  uint64_t (Port::*value)() const;
};
const PortColumn kPortColumns[] = {
    {"rx_packets_total", "Packets received by a port", &Port::rx_packets},
    {"rx_octets_total", "Octets received by a port", &Port::rx_octets},
    {"rx_missed_total", "Packets lost to a full receive queue", &Port::rx_missed},
    {"rx_no_buffer_total", "Packets lost to an empty buffer pool", &Port::rx_no_buffer},
    {"rx_errors_total", "Bad frames, as the device counts them", &Port::rx_errors},
    {"tx_packets_total", "Packets sent by a port", &Port::tx_packets},
    {"tx_octets_total", "Octets sent by a port", &Port::tx_octets},
    {"tx_dropped_total", "Packets lost to a full transmit queue", &Port::tx_dropped},
    {"tx_errors_total", "Failures to send, as the device counts them", &Port::tx_errors},
    {"tx_down_total", "Packets to a port without link", &Port::tx_down},
    {"to_kernel_total", "Frames given to a port's TAP", &Port::to_kernel},
    {"to_kernel_dropped_total", "Frames that a port's TAP had no room for",
     &Port::to_kernel_dropped},
    {"from_kernel_total", "Frames taken from a port's TAP", &Port::from_kernel},
    {"from_kernel_dropped_total", "Frames from a port's TAP that nobody had room for",
     &Port::from_kernel_dropped},
};

using Queue = dataplane::v1::PortQueueCounters;
struct QueueColumn {
  const char* name;
  const char* help;
  uint64_t (Queue::*value)() const;
};
const QueueColumn kQueueColumns[] = {
    {"rx_packets_total", "Packets received by a port's queue", &Queue::rx_packets},
    {"rx_dropped_total", "Packets lost by a port's receive queue", &Queue::rx_dropped},
    {"tx_packets_total", "Packets sent by a port's queue", &Queue::tx_packets},
};

void AddQueues(const dataplane::v1::CountersResponse& round, std::vector<MetricFamily>* families) {
  for (const QueueColumn& column : kQueueColumns) {
    MetricFamily family = FamilyOf(MetricType::Counter,
                                   std::string("dataplane_port_queue_") + column.name, column.help);
    for (const Port& port : round.ports()) {
      for (int i = 0; i < port.queues_size(); ++i) {
        AddValue((port.queues(i).*column.value)(),
                 {{"port", port.name()}, {"queue", std::to_string(i)}}, &family);
      }
    }
    families->push_back(std::move(family));
  }
}

void AddPorts(const dataplane::v1::CountersResponse& round, std::vector<MetricFamily>* families) {
  MetricFamily link =
      FamilyOf(MetricType::Gauge, "dataplane_port_link_up", "Whether a port has a link");
  for (const Port& port : round.ports()) AddValue(port.link_up(), {{"port", port.name()}}, &link);
  families->push_back(std::move(link));
  for (const PortColumn& column : kPortColumns) {
    MetricFamily family =
        FamilyOf(MetricType::Counter, std::string("dataplane_port_") + column.name, column.help);
    for (const Port& port : round.ports()) {
      AddValue((port.*column.value)(), {{"port", port.name()}}, &family);
    }
    families->push_back(std::move(family));
  }
}

void AddGauge(const char* name, const char* help, uint64_t value,
              std::vector<MetricFamily>* families) {
  MetricFamily family = FamilyOf(MetricType::Gauge, name, help);
  AddValue(value, {}, &family);
  families->push_back(std::move(family));
}

}  // namespace

void Readings::SetPpp(size_t shard, const ppp::PppCounters& totals) {
  const std::lock_guard lock(mutex_);
  ppp_[shard] = totals;
}

void Readings::SetControl(size_t shard, const pptp::ControlCounters& totals) {
  const std::lock_guard lock(mutex_);
  control_[shard] = totals;
}

void Readings::SetLinks(size_t shard, const ipv6::LinkCounters& totals) {
  const std::lock_guard lock(mutex_);
  links_[shard] = totals;
}

void Readings::SetPoolSource(std::function<std::vector<PoolUsage>()> source) {
  const std::lock_guard lock(mutex_);
  pool_source_ = std::move(source);
}

void Readings::SetDataplaneUp(bool up) {
  const std::lock_guard lock(mutex_);
  dataplane_up_ = up;
  dataplane_.SetUp(up);
}

void Readings::SetDataplane(const dataplane::v1::CountersResponse& round) {
  const std::lock_guard lock(mutex_);
  dataplane_up_ = true;
  dataplane_.Take(round);
}

std::vector<MetricFamily> Readings::Collect() const {
  std::vector<MetricFamily> families;
  if (directory_ != nullptr) families.push_back(CallsByState(*directory_));
  std::function<std::vector<PoolUsage>()> pool_source;
  {
    const std::lock_guard lock(mutex_);
    pool_source = pool_source_;
    AddControl(control_, &families);
    AddColumns("ppp_", kPppColumns, ppp_, &families);
    AddColumns("ipv6_", kLinkColumns, links_, &families);
    AddGauge("dataplane_up", "Whether culvert-dataplane answers", dataplane_up_, &families);
    if (const auto round = dataplane_.Get()) {
      AddWorkers(*round, &families);
      AddStages(*round, &families);
      AddRounds(*round, &families);
      AddPorts(*round, &families);
      AddQueues(*round, &families);
      AddGauge("dataplane_calls", "Calls that the data plane has", round->num_calls(), &families);
      AddGauge("dataplane_mbufs", "Packet buffers", round->mbufs_total(), &families);
      AddGauge("dataplane_mbufs_in_use", "Packet buffers in use", round->mbufs_in_use(), &families);
    }
  }
  // Outside the lock: it belongs to another part.
  if (pool_source) AddPools(pool_source(), &families);
  return families;
}

}  // namespace culvert
