#include "tools/load/run/show.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace culvert::load {

namespace {

double Mbps(double octets) { return octets * 8 / 1e6; }

std::string Bar(double share, size_t width) {
  const auto full = static_cast<size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(width));
  return fmt::format("[{:#<{}}{:.<{}}]", "", full, "", width - full);
}

// Time is minutes and seconds, and hours where there are any.
std::string Time(double seconds) {
  const auto whole = static_cast<uint64_t>(seconds);
  const std::string text = fmt::format("{}:{:02}", whole / 60 % 60, whole % 60);
  return whole < 3600 ? text : fmt::format("{}:{:0>5}", whole / 3600, text);
}

// Fit makes each line fit into `columns`: one that wraps would move those above it.
std::string Fit(const std::string& screen, size_t columns) {
  std::string out;
  for (size_t at = 0; at < screen.size();) {
    const size_t end = screen.find('\n', at);
    out.append(screen, at, std::min(end - at, columns)).push_back('\n');
    at = end + 1;
  }
  return out;
}

// ScreenText: lines that fit into 80 columns. `columns` is the width of the bar's line.
std::string ScreenText(const v1::Plan& plan, const Tally& tally, const v1::Sample& sample,
                       size_t columns) {
  constexpr size_t kBesideBar = 44, kMinBar = 10, kMaxBar = 80;
  const double share = sample.calls_up() / plan.calls();
  std::string screen = fmt::format(
      "{} {:.0f} of {} calls up   {}\n",
      Bar(share, std::clamp(columns, kBesideBar + kMinBar, kBesideBar + kMaxBar) - kBesideBar),
      sample.calls_up(), plan.calls(), Time(sample.second()));
  const auto stages = [&](const char* name, Stage first, Stage last) {
    screen += name;
    for (auto i = static_cast<size_t>(first); i <= static_cast<size_t>(last); ++i) {
      const auto stage = static_cast<Stage>(i);
      screen += fmt::format("{} {}  ", stage == Stage::kAuthentication ? "auth" : StageName(stage),
                            tally.calls[i]);
    }
    screen += '\n';
  };
  stages("calls       ", Stage::kUp, Stage::kOver);
  stages("dialling    ", Stage::kConnect, Stage::kNetwork);
  screen += fmt::format(
      "set-up      {:.0f} a second, p50 {:.1f} ms, p99 {:.1f} ms, max {:.1f} ms\n"
      "trouble     {} failed, {} ended early\n",
      sample.setups(), tally.setup.PercentileMs(0.5), tally.setup.PercentileMs(0.99),
      tally.setup.max_ms(), tally.failed, tally.ended_early);
  return screen;
}

std::string TrafficText(const v1::Plan& plan, const Tally& tally, const v1::Sample& sample) {
  const double unanswered = plan.direction() == "up" ? 0
                                                     : static_cast<double>(tally.up_packets) -
                                                           static_cast<double>(tally.down_packets);
  const double percent =
      tally.up_packets == 0 ? 0 : 100 * unanswered / static_cast<double>(tally.up_packets);
  return fmt::format(
      "up   {:>10.0f} packets/s {:>9.1f} Mbit/s\n"
      "down {:>10.0f} packets/s {:>9.1f} Mbit/s   {} late, {} corrupted\n"
      "answers     {:.0f} are missing so far ({:.3f} %)\n"
      "round trip  p50 {:.2f} ms, p99 {:.2f} ms\n",
      sample.up_packets(), Mbps(sample.up_octets()), sample.down_packets(),
      Mbps(sample.down_octets()), tally.down_late, tally.down_corrupted, std::max(0.0, unanswered),
      std::max(0.0, percent), sample.latency_p50_ms(), sample.latency_p99_ms());
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
    std::fputs((Line(plan, tally, sample) + "\n").c_str(), out_);
  } else {
    winsize size{};
    const bool knows_width = ioctl(fileno(out_), TIOCGWINSZ, &size) == 0 && size.ws_col != 0;
    const std::string screen = Screen(plan, tally, sample, knows_width ? size.ws_col : 80);
    // The cursor would jump about. Then up, and clear what is below.
    const std::string place =
        num_lines_ == 0 ? "\x1b[?25l" : fmt::format("\x1b[{}A\r\x1b[J", num_lines_);
    num_lines_ = static_cast<int>(std::count(screen.begin(), screen.end(), '\n'));
    std::fputs((place + screen).c_str(), out_);
  }
  std::fflush(out_);
}

void Show::Done() {
  if (std::exchange(num_lines_, 0) != 0) {
    std::fputs("\x1b[?25h", out_);
    std::fflush(out_);
  }
}

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

std::string Screen(const v1::Plan& plan, const Tally& tally, const v1::Sample& sample,
                   size_t columns) {
  std::string screen = ScreenText(plan, tally, sample, columns);
  if (!plan.sink().empty()) {
    screen += TrafficText(plan, tally, sample);
  }
  return Fit(screen, columns);
}

}  // namespace culvert::load
