#include "controlplane/metrics/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <atomic>
#include <utility>

#include "controlplane/management/call_record.h"
#include "controlplane/metrics/bounded_counter.h"
#include "controlplane/metrics/readings.h"
#include "controlplane/metrics/sources.h"

namespace culvert {
namespace {

using prometheus::Registry;

prometheus::Counter& MakeCounter(Registry* registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(*registry).Add({});
}

// A LAN's call is up in a quarter of a second; a setup_timeout_s of 60 ends the others.
const prometheus::Histogram::BucketBoundaries kSetupBuckets = {0.05, 0.1, 0.25, 0.5, 1,
                                                               2.5,  5,   10,   30,  60};
constexpr AuthMethod kMethods[] = {AuthMethod::kPap, AuthMethod::kChapMd5, AuthMethod::kMsChap,
                                   AuthMethod::kMsChapV2, AuthMethod::kEap};

}  // namespace

struct Metrics::Counters {
  explicit Counters(Registry* registry)
      : accepted(MakeCounter(registry, "culvert_connections_accepted_total",
                             "Control connections accepted")),
        refused(registry, "culvert_connections_refused_total",
                "Control connections closed before they were established, by reason", "reason"),
        closed(registry, "culvert_connections_closed_total", "Control connections ended, by reason",
               "reason"),
        open(prometheus::BuildGauge()
                 .Name("culvert_connections")
                 .Help("Control connections")
                 .Register(*registry)
                 .Add({})),
        started(MakeCounter(registry, "culvert_calls_started_total", "Calls accepted")),
        calls_refused(registry, "culvert_calls_refused_total", "Calls refused, by reason",
                      "reason"),
        ended(registry, "culvert_calls_ended_total", "Calls ended, by reason", "reason"),
        setup(prometheus::BuildHistogram()
                  .Name("culvert_call_setup_seconds")
                  .Help("From Outgoing-Call-Request to traffic")
                  .Register(*registry)
                  .Add({}, kSetupBuckets)),
        authentications(prometheus::BuildCounter()
                            .Name("culvert_authentications_total")
                            .Help("Authentications, by method and result")
                            .Register(*registry)) {
    // All are there from the start, so that a rate shows the first one.
    for (const AuthMethod method : kMethods) {
      Authentication(method, AuthVerdict::kAccept);
      Authentication(method, AuthVerdict::kReject);
    }
  }

  // A family's Add() looks its labels up, which takes longer than an authentication may.
  prometheus::Counter& Authentication(AuthMethod method, AuthVerdict verdict) {
    std::atomic<prometheus::Counter*>& known =
        known_authentications[static_cast<size_t>(method)][static_cast<size_t>(verdict)];
    if (prometheus::Counter* counter = known) {
      return *counter;
    }
    prometheus::Counter& counter =
        authentications.Add({{"method", AuthMethodName(method)},
                             {"result", verdict == AuthVerdict::kAccept ? "accept" : "reject"}});
    known = &counter;
    return counter;
  }

  prometheus::Counter& accepted;
  BoundedCounter refused;
  BoundedCounter closed;
  prometheus::Gauge& open;
  prometheus::Counter& started;
  BoundedCounter calls_refused;
  BoundedCounter ended;
  prometheus::Histogram& setup;
  prometheus::Family<prometheus::Counter>& authentications;
  std::array<std::array<std::atomic<prometheus::Counter*>, 3>, 8> known_authentications{};
};

Metrics::Metrics(const std::string& version, const CallDirectory* directory)
    : registry_(std::make_shared<Registry>()),
      counters_(std::make_unique<Counters>(registry_.get())),
      readings_(std::make_shared<Readings>(directory)),
      sources_(std::make_shared<Sources>()) {
  prometheus::BuildGauge()
      .Name("culvert_build_info")
      .Help("Version of culvert-controlplane")
      .Register(*registry_)
      .Add({{"version", version}})
      .Set(1);
}

Metrics::~Metrics() = default;

void Metrics::OnConnectionAccepted() {
  counters_->accepted.Increment();
  counters_->open.Increment();
}
void Metrics::OnConnectionRefused(std::string_view reason) { counters_->refused.Increment(reason); }
void Metrics::OnConnectionClosed(std::string_view reason) {
  counters_->closed.Increment(reason);
  counters_->open.Decrement();
}

void Metrics::OnCallStarted() { counters_->started.Increment(); }
void Metrics::OnCallRefused(std::string_view reason) { counters_->calls_refused.Increment(reason); }
void Metrics::OnCallUp(double setup_s) { counters_->setup.Observe(setup_s); }
void Metrics::OnCallEnded(std::string_view reason) { counters_->ended.Increment(reason); }
void Metrics::OnAuthentication(AuthMethod method, AuthVerdict verdict) {
  if (verdict != AuthVerdict::kChallenge) {
    counters_->Authentication(method, verdict).Increment();
  }
}

void Metrics::SetControlCounters(size_t shard, const pptp::ControlCounters& totals) {
  readings_->SetControl(shard, totals);
}
void Metrics::SetPppCounters(size_t shard, const ppp::PppCounters& totals) {
  readings_->SetPpp(shard, totals);
}
void Metrics::SetLinkCounters(size_t shard, const ipv6::LinkCounters& totals) {
  readings_->SetLinks(shard, totals);
}
void Metrics::SetPoolSource(std::function<std::vector<PoolUsage>()> source) {
  readings_->SetPoolSource(std::move(source));
}
void Metrics::AddSource(ReadingSource source) { sources_->Add(std::move(source)); }
void Metrics::SetDataplaneUp(bool up) { readings_->SetDataplaneUp(up); }
void Metrics::OnDataplaneCounters(const dataplane::v1::CountersResponse& round) {
  readings_->SetDataplane(round);
}

std::string Metrics::Collect() const {
  std::vector<prometheus::MetricFamily> families = registry_->Collect();
  for (prometheus::MetricFamily& family : readings_->Collect()) {
    families.push_back(std::move(family));
  }
  for (prometheus::MetricFamily& family : sources_->Collect()) {
    families.push_back(std::move(family));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace culvert
