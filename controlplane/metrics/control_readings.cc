#include "controlplane/metrics/control_readings.h"

#include "controlplane/metrics/family.h"

namespace culvert {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;
using Counters = pptp::ControlCounters;

struct Column {
  const char* name;  // the label, or the metric's name
  uint64_t Counters::*value;
};
constexpr Column kErrors[] = {
    {"bad-length", &Counters::bad_lengths},
    {"bad-cookie", &Counters::bad_cookies},
    {"bad-message-type", &Counters::bad_message_types},
    {"unknown-type", &Counters::unknown_types},
    {"unexpected-message", &Counters::unexpected_messages},
    {"unknown-call-id", &Counters::unknown_call_ids},
    {"unsupported-version", &Counters::unsupported_versions},
    {"output-overflow", &Counters::output_overflows},
};
constexpr Column kTimeouts[] = {
    {"start", &Counters::start_timeouts},
    {"echo", &Counters::echo_timeouts},
    {"call", &Counters::call_timeouts},
};

uint64_t Sum(const std::map<size_t, Counters>& shards, uint64_t Counters::*value) {
  uint64_t sum = 0;
  for (const auto& [shard, counters] : shards) {
    sum += counters.*value;
  }
  return sum;
}

}  // namespace

void AddControl(const std::map<size_t, Counters>& shards, std::vector<MetricFamily>* families) {
  MetricFamily errors = FamilyOf(MetricType::Counter, "pptp_protocol_errors_total",
                                 "Control messages that were refused, by error");
  for (const Column& column : kErrors) {
    AddValue(Sum(shards, column.value), {{"error", column.name}}, &errors);
  }
  families->push_back(std::move(errors));
  MetricFamily timeouts =
      FamilyOf(MetricType::Counter, "pptp_timeouts_total",
               "Control connections closed because a message did not come, by its kind");
  for (const Column& column : kTimeouts) {
    AddValue(Sum(shards, column.value), {{"awaited", column.name}}, &timeouts);
  }
  families->push_back(std::move(timeouts));
  MetricFamily wan = FamilyOf(MetricType::Counter, "pptp_wan_errors_total",
                              "Line errors that dial-in PACs notified (WAN-Error-Notify)");
  AddValue(Sum(shards, &Counters::wan_errors), {}, &wan);
  families->push_back(std::move(wan));
}

}  // namespace culvert
