#include "tools/load/run/runner.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

namespace culvert::load {

namespace {

constexpr uint64_t kSecondUs = 1'000'000;
constexpr double kMinEndRate = 500;        // calls a second
constexpr uint64_t kSettleUs = 300'000;    // for packets on their way
constexpr uint64_t kAskUs = 5'000'000;     // for the sink's reports, beside the time to ask
constexpr uint64_t kCloseUs = 10'000'000;  // for the last calls to close

}  // namespace

Runner::Runner(const Plan& plan, const std::vector<client_role::Account>* accounts, Show* show)
    : plan_(plan), accounts_(accounts), show_(show), fleet_(&plan_, accounts, &tally_) {}

bool Runner::Stopped() {
  pollfd polled{stop_fd_, POLLIN, 0};
  stopped_ = stopped_ || (stop_fd_ >= 0 && poll(&polled, 1, 0) > 0);
  return stopped_;
}

std::string Runner::Start() {
  if (std::string wrong = fleet_.Open(); !wrong.empty()) {
    return wrong;
  }
  if (stop_fd_ >= 0) {
    fleet_.Watch(stop_fd_);
  }
  if (!plan_.control().empty()) {
    if (const std::string wrong = control_.Open(plan_.control()); !wrong.empty()) {
      return fmt::format("{}: {}", plan_.control(), wrong);
    }
  }
  begun_us_ = sampled_us_ = Fleet::NowUs();
  fleet_.Dial(1);
  while (tally_.established == 0 && tally_.failed == 0 && !Stopped()) {
    fleet_.Turn(10);
  }
  if (tally_.failed != 0) {
    return fmt::format("the first call to {} failed: {}", plan_.server(0), fleet_.last_failure());
  }
  return stopped_ ? "stopped" : "";
}

void Runner::DialDue() {
  const double due = 1 + static_cast<double>(Fleet::NowUs() - dial_us_) * plan_.rate() / kSecondUs;
  if (due - dialled_ >= 1) {
    const auto num = static_cast<uint32_t>(due - dialled_);
    const uint32_t able =
        static_cast<uint32_t>(plan_.calls()) - fleet_.num_begun() + fleet_.num_to_redial();
    fleet_.Dial(num);
    dialled_ += num;
    if (num > able) {
      dialled_ = due;  // unused leave to dial is not saved up
    }
  }
}

void Runner::Turn() {
  fleet_.Turn(1);
  control_.Serve();
  if (on_turn_ && dialled_ > 0 && !ends_) {
    on_turn_(&fleet_);
  }
  if (Fleet::NowUs() - sampled_us_ >= kSecondUs) {
    Sample();
  }
}

v1::ControlReply Runner::OnRequest(const v1::ControlRequest& request) {
  v1::ControlReply reply;
  reply.set_error(CarryOut(request));
  for (size_t i = 0; i < kNumStages; ++i) {
    (*reply.mutable_calls())[StageName(static_cast<Stage>(i))] = tally_.calls[i];
  }
  reply.set_asked(static_cast<double>(tally_.asked));
  reply.set_established(static_cast<double>(tally_.established));
  reply.set_failed(static_cast<double>(tally_.failed));
  reply.set_ended_early(static_cast<double>(tally_.ended_early));
  reply.set_up_packets(static_cast<double>(tally_.up_packets));
  reply.set_down_packets(static_cast<double>(tally_.down_packets));
  if (!samples_.empty()) {
    *reply.mutable_last_second() = samples_.back();
  }
  return reply;
}

std::string Runner::CarryOut(const v1::ControlRequest& request) {
  constexpr uint32_t kMaxCalls = 1'000'000;
  if (request.rate() < 0 || request.rate() > 1e6 || request.packet_rate() < 0 ||
      request.packet_rate() > 1e5 || (request.packet_rate() > 0 && request.packet_rate() < 0.001)) {
    return "rate: up to 1000000 calls a second, packet_rate: from 0.001 to 100000";
  }
  if (request.add() > kMaxCalls - std::min(kMaxCalls, plan_.calls())) {
    return "add: there can be 1000000 calls";
  }
  if (request.rate() > 0) {
    plan_.set_rate(request.rate());
    dial_us_ = Fleet::NowUs();
    dialled_ = 1;
  }
  if (request.packet_rate() > 0) {
    plan_.set_packet_rate(request.packet_rate());
  }
  if (request.add() > 0) {
    fleet_.Add(request.add());
    plan_.set_calls(plan_.calls() + request.add());
  }
  fleet_.Stop(request.stop());
  stopped_ = stopped_ || request.stop_all();
  if (request.has_capture()) {
    if (!fleet_.IsUp(request.capture().call()) || !plan_.device().empty()) {
      return plan_.device().empty() ? fmt::format("call {} is not up", request.capture().call())
                                    : "capture: not through a device";
    }
    fleet_.StopCapture();
    if (std::string wrong = capture_.Open(request.capture().file()); !wrong.empty()) {
      return fmt::format("{}: {}", request.capture().file(), wrong);
    }
    fleet_.StartCapture(request.capture().call(), &capture_);
  }
  return "";
}

bool Runner::Finished() const {
  const bool all_begun = fleet_.num_begun() == plan_.calls();
  return all_begun && NumIn(Stage::kOver) == plan_.calls() && !plan_.redial();
}

void Runner::Run() {
  dial_us_ = Fleet::NowUs();
  dialled_ = 1;
  const auto is_setting_up = [this] {
    uint32_t num = 0;
    for (auto stage = Stage::kConnect; stage < Stage::kUp;
         stage = static_cast<Stage>(static_cast<int>(stage) + 1)) {
      num += NumIn(stage);
    }
    return fleet_.num_begun() < plan_.calls() || num != 0;
  };
  // Where calls are dialled again, some are always being set up.
  while ((plan_.redial() ? fleet_.num_begun() < plan_.calls() : is_setting_up()) && !Stopped()) {
    DialDue();
    Turn();
  }
  const uint64_t steady_us = Fleet::NowUs();
  dialled_up_ = tally_.established;  // those that are added later come up after dial_seconds_
  dial_seconds_ = static_cast<double>(tally_.last_up_us - begun_us_) / kSecondUs;
  dialling_samples_ = std::min(samples_.size(), static_cast<size_t>(dial_seconds_)) + 1;
  while (static_cast<double>(Fleet::NowUs() - steady_us) < plan_.seconds() * kSecondUs &&
         !Stopped() && !Finished()) {
    DialDue();  // again, or those that were added
    Turn();
  }
  ends_ = true;
  fleet_.StopPackets();
  if (!plan_.sink().empty()) {
    const uint64_t stopped_us = Fleet::NowUs();
    while (Fleet::NowUs() - stopped_us < kSettleUs) {
      Turn();
    }
    fleet_.AskSinks();
    const uint64_t num_up_us = uint64_t{NumIn(Stage::kUp)} * 50;
    while (fleet_.num_asking() > 0 && Fleet::NowUs() - stopped_us < kAskUs + num_up_us) {
      Turn();
    }
  }
  if (plan_.redial()) {
    dialled_up_ = tally_.established;
    dial_seconds_ = static_cast<double>(tally_.last_up_us - begun_us_) / kSecondUs;
    dialling_samples_ = samples_.size();
  }
  const double end_rate = std::max(kMinEndRate, plan_.rate());
  fleet_.EndCalls(end_rate);
  const auto end_us = static_cast<uint64_t>(plan_.calls() / end_rate * kSecondUs) + kCloseUs;
  const uint64_t ending_us = Fleet::NowUs();
  while (fleet_.num_live() > 0 && Fleet::NowUs() - ending_us < end_us) {
    Turn();
  }
  Sample();
  show_->Done();
}

void Runner::Sample() {
  const uint64_t now_us = Fleet::NowUs();
  const double seconds = static_cast<double>(now_us - sampled_us_) / kSecondUs;
  const auto rate = [seconds](uint64_t now, uint64_t before) {
    return static_cast<double>(now - before) / seconds;
  };
  v1::Sample sample;
  sample.set_second(static_cast<double>(now_us - begun_us_) / kSecondUs);
  sample.set_calls_up(NumIn(Stage::kUp));
  sample.set_setups(rate(tally_.established, last_.established));
  sample.set_failures(rate(tally_.failed + tally_.ended_early, last_.failed + last_.ended_early));
  sample.set_up_packets(rate(tally_.up_packets, last_.up_packets));
  sample.set_up_octets(rate(tally_.up_octets, last_.up_octets));
  sample.set_down_packets(rate(tally_.down_packets, last_.down_packets));
  sample.set_down_octets(rate(tally_.down_octets, last_.down_octets));
  sample.set_latency_p50_ms(tally_.second_round_trip.PercentileMs(0.5));
  sample.set_latency_p99_ms(tally_.second_round_trip.PercentileMs(0.99));
  samples_.push_back(sample);
  show_->OnSecond(plan_, tally_, sample);
  tally_.second_round_trip.Reset();
  last_ = tally_;
  sampled_us_ = now_us;
}

Report Runner::MakeReport() const {
  Report report = load::MakeReport(plan_, tally_, fleet_.calls(), *accounts_, samples_,
                                   {dialling_samples_, dial_seconds_, dialled_up_});
  report.set_seconds(static_cast<double>(Fleet::NowUs() - begun_us_) / kSecondUs);
  return report;
}

}  // namespace culvert::load
