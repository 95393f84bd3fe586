#include "tools/load/report/report.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <utility>

#include "controlplane/logging/printable.h"
#include "proto/config/address/address.h"

namespace culvert::load {

namespace {

constexpr size_t kWorst = 10;

void FillSpread(const Histogram& histogram, v1::Spread* out) {
  out->set_count(static_cast<double>(histogram.count()));
  out->set_min(histogram.min_ms());
  out->set_p50(histogram.PercentileMs(0.5));
  out->set_p90(histogram.PercentileMs(0.9));
  out->set_p99(histogram.PercentileMs(0.99));
  out->set_max(histogram.max_ms());
}

void FillReasons(const Tally::Reasons& reasons,
                 google::protobuf::RepeatedPtrField<v1::Reason>* out) {
  for (const auto& [key, num] : reasons) {
    v1::Reason& reason = *out->Add();
    reason.set_stage(StageName(key.first));
    reason.set_reason(key.second);
    reason.set_calls(static_cast<double>(num));
  }
}

// SetLoss sets what follows from what was sent and received.
void SetLoss(v1::Direction* direction) {
  direction->set_lost(std::max(0.0, direction->sent() - direction->received()));
  direction->set_loss_percent(direction->sent() > 0 ? 100 * direction->lost() / direction->sent()
                                                    : 0);
}

void FillCall(const Call& call, v1::Direction* up, v1::Direction* down) {
  const Traffic& traffic = call.traffic;
  up->set_sent(static_cast<double>(traffic.up_packets));
  up->set_sent_octets(static_cast<double>(traffic.up_octets));
  up->set_received(static_cast<double>(traffic.sink.packets));
  up->set_received_octets(static_cast<double>(traffic.sink.octets));
  up->set_late(traffic.sink.late);
  up->set_duplicated(traffic.sink.duplicated);
  up->set_corrupted(traffic.sink.corrupted);
  down->set_sent(traffic.sink.answers);
  down->set_sent_octets(static_cast<double>(traffic.sink.answer_octets));
  down->set_received(static_cast<double>(traffic.down_packets));
  down->set_received_octets(static_cast<double>(traffic.down_octets));
  down->set_late(traffic.down_late);
  down->set_duplicated(traffic.down_duplicated);
  down->set_corrupted(traffic.down_corrupted);
  SetLoss(up);
  SetLoss(down);
}

void AddTo(const v1::Direction& one, v1::Direction* sum) {
  sum->set_sent(sum->sent() + one.sent());
  sum->set_sent_octets(sum->sent_octets() + one.sent_octets());
  sum->set_received(sum->received() + one.received());
  sum->set_received_octets(sum->received_octets() + one.received_octets());
  sum->set_lost(sum->lost() + one.lost());
  sum->set_late(sum->late() + one.late());
  sum->set_duplicated(sum->duplicated() + one.duplicated());
  sum->set_corrupted(sum->corrupted() + one.corrupted());
  sum->set_loss_percent(sum->sent() > 0 ? 100 * sum->lost() / sum->sent() : 0);
}

double Trouble(const v1::CallReport& call) {
  double trouble = 0;
  for (const v1::Direction* one : {&call.up(), &call.down()}) {
    trouble += 1000 * one->lost() + 1000 * one->corrupted() + one->late() + one->duplicated();
  }
  return trouble;
}

void FillCalls(const std::vector<Call>& calls, const std::vector<client_role::Account>& accounts,
               Report* report) {
  std::vector<v1::CallReport> worst;
  for (const Call& call : calls) {
    if (call.traffic.up_packets == 0) {
      continue;
    }
    v1::CallReport one;
    one.set_call(call.index);
    one.set_user(Printable(accounts[call.index % accounts.size()].user));  // of any file
    FillCall(call, one.mutable_up(), one.mutable_down());
    AddTo(one.up(), report->mutable_up());
    AddTo(one.down(), report->mutable_down());
    if (!call.traffic.has_report) {
      report->set_calls_without_sink_report(report->calls_without_sink_report() + 1);
    }
    if (Trouble(one) > 0) {
      worst.push_back(std::move(one));
    }
  }
  const size_t num = std::min(kWorst, worst.size());
  std::partial_sort(worst.begin(), worst.begin() + static_cast<ptrdiff_t>(num), worst.end(),
                    [](const auto& a, const auto& b) { return Trouble(a) > Trouble(b); });
  for (size_t i = 0; i < num; ++i) {
    *report->add_worst_calls() = std::move(worst[i]);
  }
}

void FillRate(const std::vector<v1::Sample>& samples, const Dialling& dialling, Report* report) {
  v1::Rate* rate = report->mutable_setups_per_second();
  rate->set_avg(dialling.seconds > 0 ? static_cast<double>(dialling.up) / dialling.seconds : 0);
  // Whole seconds only; the last one is cut short by the end of the dialling.
  for (size_t i = 0; i + 1 < dialling.samples && i < samples.size(); ++i) {
    rate->set_max(std::max(rate->max(), samples[i].setups()));
    rate->set_min(i == 0 ? samples[i].setups() : std::min(rate->min(), samples[i].setups()));
  }
  if (rate->max() == 0) {
    rate->set_min(rate->avg());
    rate->set_max(rate->avg());
  }
}

void CheckLimits(const Plan& plan, Report* report) {
  const auto broken = [&](bool is_broken, std::string text) {
    if (is_broken) {
      report->add_limits_not_held(std::move(text));
    }
  };
  broken(plan.has_max_failed() && report->failed() + report->ended_early() > plan.max_failed(),
         fmt::format("max_failed: {} calls failed or ended early; {} are allowed",
                     report->failed() + report->ended_early(), plan.max_failed()));
  const auto check_loss = [&](const char* name, const v1::Direction& direction) {
    broken(plan.has_max_loss() && direction.loss_percent() > plan.max_loss(),
           fmt::format("max_loss: {:.4f} % lost {}; {} % is allowed", direction.loss_percent(),
                       name, plan.max_loss()));
  };
  check_loss("up", report->up());
  check_loss("down", report->down());
  broken(plan.has_max_loss() && report->up().sent() == 0, "max_loss: no packet was sent");
  broken(plan.has_min_setup_rate() && report->setups_per_second().avg() < plan.min_setup_rate(),
         fmt::format("min_setup_rate: {:.1f} calls/s came up; at least {} are wanted",
                     report->setups_per_second().avg(), plan.min_setup_rate()));
  report->set_held(report->limits_not_held().empty());
}

std::string SpreadText(const v1::Spread& spread) {
  return fmt::format("{:>9.2f} {:>9.2f} {:>9.2f} {:>9.2f} {:>9.2f}", spread.min(), spread.p50(),
                     spread.p90(), spread.p99(), spread.max());
}

std::string DirectionText(const char* name, const v1::Direction& one) {
  return fmt::format("{:<6} {:>11.0f} {:>11.0f} {:>9.0f} {:>8.4f} {:>8.0f} {:>10.0f} {:>9.0f}\n",
                     name, one.sent(), one.received(), one.lost(), one.loss_percent(), one.late(),
                     one.duplicated(), one.corrupted());
}

std::string TroubleText(const v1::Direction& one) {
  std::string out = fmt::format("{:.0f} of {:.0f} lost", one.lost(), one.sent());
  for (const auto& [name, num] :
       {std::pair("late", one.late()), std::pair("duplicated", one.duplicated()),
        std::pair("corrupted", one.corrupted())}) {
    out += num > 0 ? fmt::format(", {:.0f} {}", num, name) : "";
  }
  return out;
}

}  // namespace

Report MakeReport(const Plan& plan, const Tally& tally, const std::vector<Call>& calls,
                  const std::vector<client_role::Account>& accounts,
                  const std::vector<v1::Sample>& samples, const Dialling& dialling) {
  Report report;
  report.set_asked(static_cast<double>(tally.asked));
  report.set_established(static_cast<double>(tally.established));
  report.set_failed(static_cast<double>(tally.failed));
  report.set_ended_early(static_cast<double>(tally.ended_early));
  FillReasons(tally.failures, report.mutable_failures());
  FillReasons(tally.disconnects, report.mutable_disconnects());
  FillRate(samples, dialling, &report);
  FillSpread(tally.setup, report.mutable_setup_ms());
  for (auto stage = Stage::kConnect; stage < Stage::kUp;
       stage = static_cast<Stage>(static_cast<int>(stage) + 1)) {
    v1::Stage& out = *report.add_stages();
    out.set_stage(StageName(stage));
    FillSpread(tally.stages[static_cast<size_t>(stage)], out.mutable_ms());
  }
  FillCalls(calls, accounts, &report);
  FillSpread(tally.round_trip, report.mutable_round_trip_ms());
  report.set_gre_late(static_cast<double>(tally.gre_late));
  report.set_gre_duplicated(static_cast<double>(tally.gre_duplicated));
  report.set_gre_strange(static_cast<double>(tally.gre_strange));
  report.set_unsent(static_cast<double>(tally.unsent));
  for (const v1::Sample& sample : samples) {
    *report.add_samples() = sample;
  }
  CheckLimits(plan, &report);
  return report;
}

std::string ReportText(const Report& report) {
  std::string out =
      fmt::format("calls: {:.0f} asked, {:.0f} established, {:.0f} failed, {:.0f} ended early\n",
                  report.asked(), report.established(), report.failed(), report.ended_early());
  for (const auto* reasons : {&report.failures(), &report.disconnects()}) {
    for (const v1::Reason& reason : *reasons) {
      out += fmt::format("  {:.0f} x {}: {}\n", reason.calls(), reason.stage(), reason.reason());
    }
  }
  const v1::Rate& rate = report.setups_per_second();
  out += fmt::format("set-ups a second: min {:.1f}, avg {:.1f}, max {:.1f}\n", rate.min(),
                     rate.avg(), rate.max());
  out += fmt::format("{:<16} {:>9} {:>9} {:>9} {:>9} {:>9}\n", "ms", "min", "p50", "p90", "p99",
                     "max");
  out += fmt::format("{:<16} {}\n", "set-up", SpreadText(report.setup_ms()));
  for (const v1::Stage& stage : report.stages()) {
    out += fmt::format("  {:<14} {}\n", stage.stage(), SpreadText(stage.ms()));
  }
  if (report.up().sent() > 0) {
    out += fmt::format("{:<16} {}\n", "round trip", SpreadText(report.round_trip_ms()));
    out += fmt::format("{:<6} {:>11} {:>11} {:>9} {:>8} {:>8} {:>10} {:>9}\n", "", "sent",
                       "received", "lost", "lost %", "late", "duplicated", "corrupted");
    out += DirectionText("up", report.up()) + DirectionText("down", report.down());
    for (const auto& [name, one] :
         {std::pair("up", &report.up()), std::pair("down", &report.down())}) {
      out += fmt::format("octets {}: {:.0f} sent, {:.0f} received\n", name, one->sent_octets(),
                         one->received_octets());
    }
    out += fmt::format("GRE: {:.0f} late, {:.0f} duplicated, {:.0f} not taken by the kernel\n",
                       report.gre_late(), report.gre_duplicated(), report.unsent());
  }
  for (const v1::CallReport& call : report.worst_calls()) {
    out += fmt::format("  call {} ({}): up {}; down {}\n", call.call(), call.user(),
                       TroubleText(call.up()), TroubleText(call.down()));
  }
  if (report.calls_without_sink_report() > 0) {
    out += fmt::format("the sink has told nothing of {:.0f} calls at their end\n",
                       report.calls_without_sink_report());
  }
  for (const std::string& limit : report.limits_not_held()) {
    out += "NOT HELD: " + limit + "\n";
  }
  return out;
}

std::string ReportJson(const Report& report) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  options.add_whitespace = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(report, &json, options).ok()) {
    json.clear();
  }
  return json;
}

}  // namespace culvert::load
