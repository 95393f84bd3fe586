#include "controlplane/radius/server_state/server_metrics.h"

#include <limits>
#include <string>
#include <string_view>

#include "controlplane/metrics/family.h"

namespace culvert::radius {

namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr double kUsPerSecond = 1e6;

struct Column {
  const char* name;
  const char* help;
  std::atomic<uint64_t> ServerStats::*value;
  MetricType type = MetricType::Counter;
};
const Column kColumns[] = {
    {"radius_requests_total", "Requests sent for the first time, by server and service",
     &ServerStats::requests},
    {"radius_retransmissions_total", "Requests sent again to the same server",
     &ServerStats::retransmissions},
    {"radius_timeouts_total", "Requests given up at a server", &ServerStats::timeouts},
    {"radius_unprotected_replies_total",
     "Answers to Access-Requests taken without Message-Authenticator (CVE-2024-3596)",
     &ServerStats::unprotected_replies},
    {"radius_probes_total", "Status-Server requests to a dead server", &ServerStats::probes},
    {"radius_probe_replies_total", "Answers to Status-Server", &ServerStats::probe_replies},
    {"radius_outstanding_requests", "Requests without an answer yet", &ServerStats::outstanding,
     MetricType::Gauge},
};

Labels LabelsOf(const ServerStats& stats) {
  return {{"server", stats.name}, {"service", std::string(ServiceName(stats.service))}};
}

Labels With(Labels labels, const char* name, std::string_view value) {
  labels.push_back({name, std::string(value)});
  return labels;
}

// AddReplies: those that a service can have, so that they are there from the start.
void AddReplies(const ServerStats& stats, MetricFamily* family) {
  const std::vector<Code> codes =
      stats.service == Service::kAuthentication
          ? std::vector{Code::kAccessAccept, Code::kAccessReject, Code::kAccessChallenge}
          : std::vector{Code::kAccountingResponse};
  for (const Code code : codes) {
    AddValue(stats.replies[static_cast<size_t>(code)].load(std::memory_order_relaxed),
             With(LabelsOf(stats), "packet", CodeName(code)), family);
  }
}

void AddDrops(const ServerStats& stats, MetricFamily* family) {
  for (size_t i = 0; i < kNumDropReasons; ++i) {
    AddValue(stats.drops[i].load(std::memory_order_relaxed),
             With(LabelsOf(stats), "reason", DropReasonName(static_cast<DropReason>(i))), family);
  }
}

prometheus::ClientMetric Histogram(const ServerStats& stats) {
  prometheus::ClientMetric metric;
  metric.label = LabelsOf(stats);
  uint64_t sum = 0;
  for (size_t i = 0; i < stats.latency.size(); ++i) {
    sum += stats.latency[i].load(std::memory_order_relaxed);
    prometheus::ClientMetric::Bucket bucket;
    bucket.cumulative_count = sum;
    bucket.upper_bound = i < kLatencyBoundsUs.size()
                             ? static_cast<double>(kLatencyBoundsUs[i]) / kUsPerSecond
                             : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back(bucket);
  }
  metric.histogram.sample_count = sum;
  metric.histogram.sample_sum =
      static_cast<double>(stats.latency_sum_us.load(std::memory_order_relaxed)) / kUsPerSecond;
  return metric;
}

}  // namespace

std::vector<MetricFamily> ServerMetrics::Collect() const {
  std::vector<MetricFamily> families;
  for (const Column& column : kColumns) {
    MetricFamily family = FamilyOf(column.type, column.name, column.help);
    for (const auto& stats : servers_) {
      AddValue(((*stats).*column.value).load(std::memory_order_relaxed), LabelsOf(*stats), &family);
    }
    families.push_back(std::move(family));
  }
  MetricFamily up = FamilyOf(MetricType::Gauge, "radius_server_up",
                             "Whether a server answers: 1, or 0 when it is taken for dead");
  MetricFamily replies =
      FamilyOf(MetricType::Counter, "radius_replies_total", "Answers taken, by their packet");
  MetricFamily drops = FamilyOf(MetricType::Counter, "radius_dropped_replies_total",
                                "Datagrams from a server that were not taken, by reason");
  MetricFamily times = FamilyOf(MetricType::Histogram, "radius_response_seconds",
                                "From a request's first transmission to its answer");
  for (const auto& stats : servers_) {
    AddValue(stats->up.load(std::memory_order_relaxed) ? 1 : 0, LabelsOf(*stats), &up);
    AddReplies(*stats, &replies);
    AddDrops(*stats, &drops);
    times.metric.push_back(Histogram(*stats));
  }
  for (MetricFamily* family : {&up, &replies, &drops, &times}) {
    families.push_back(std::move(*family));
  }
  return families;
}

}  // namespace culvert::radius
