#include "tools/load/run/show.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

namespace culvert::load {

namespace {

double Mbps(double octets) { return octets * 8 / 1e6; }

std::string Bar(double share) {
  constexpr size_t kWidth = 40;
  const auto full = static_cast<size_t>(std::clamp(share, 0.0, 1.0) * kWidth);
  return fmt::format("[{:#<{}}{:.<{}}]", "", full, "", kWidth - full);
}

}  // namespace

Show::Show(std::FILE* out, bool quiet)
    : out_(out), quiet_(quiet), is_terminal_(isatty(fileno(out)) != 0) {}

Show::~Show() { Done(); }

void Show::OnSecond(const v1::Plan& plan, const Tally& tally, const v1::Sample& sample) {
  if (quiet_) {
    return;
  }
  if (!is_terminal_) {
    fmt::print(out_, "{}\n", Line(plan, tally, sample));
  } else {
    const std::string screen = Screen(plan, tally, sample);
    if (num_lines_ != 0) {
      fmt::print(out_, "\x1b[{}A\x1b[J", num_lines_);  // up, and clear what is below
    }
    num_lines_ = static_cast<int>(std::count(screen.begin(), screen.end(), '\n'));
    fmt::print(out_, "{}", screen);
  }
  std::fflush(out_);
}

void Show::Done() { num_lines_ = 0; }

std::string Line(const v1::Plan& plan, const Tally& tally, const v1::Sample& sample) {
  std::string line = fmt::format("{:5.0f} s  up {:.0f} of {}  failed {}  {:.0f} set up/s",
                                 sample.second(), sample.calls_up(), plan.calls(),
                                 tally.failed + tally.ended_early, sample.setups());
  if (!plan.sink().empty()) {
    line += fmt::format("  up {:.0f} p/s {:.1f} Mbit/s  down {:.0f} p/s {:.1f} Mbit/s  {:.2f} ms",
                        sample.up_packets(), Mbps(sample.up_octets()), sample.down_packets(),
                        Mbps(sample.down_octets()), sample.latency_p50_ms());
  }
  return line;
}

std::string Screen(const v1::Plan& plan, const Tally& tally, const v1::Sample& sample) {
  std::string screen =
      fmt::format("{} {:.0f} of {} calls up, {:.0f} s\n", Bar(sample.calls_up() / plan.calls()),
                  sample.calls_up(), plan.calls(), sample.second());
  for (size_t i = 0; i < kNumStages; ++i) {
    screen += fmt::format("{}{} {}", i == 0 ? "calls: " : ", ", StageName(static_cast<Stage>(i)),
                          tally.calls[i]);
  }
  screen += fmt::format(
      "\nset-up: {:.0f} calls/s, p50 {:.1f} ms, p99 {:.1f} ms; {} failed, {} ended early\n",
      sample.setups(), tally.setup.PercentileMs(0.5), tally.setup.PercentileMs(0.99), tally.failed,
      tally.ended_early);
  if (!plan.sink().empty()) {
    screen += fmt::format("up:     {:>9.0f} packets/s {:>9.1f} Mbit/s\n", sample.up_packets(),
                          Mbps(sample.up_octets()));
    screen += fmt::format("down:   {:>9.0f} packets/s {:>9.1f} Mbit/s, {} late, {} corrupted\n",
                          sample.down_packets(), Mbps(sample.down_octets()), tally.down_late,
                          tally.down_corrupted);
    const double lost = plan.direction() == "up" ? 0
                                                 : static_cast<double>(tally.up_packets) -
                                                       static_cast<double>(tally.down_packets);
    screen += fmt::format("round trip: p50 {:.2f} ms, p99 {:.2f} ms; {:.0f} unanswered so far\n",
                          sample.latency_p50_ms(), sample.latency_p99_ms(), std::max(0.0, lost));
  }
  return screen;
}

}  // namespace culvert::load
