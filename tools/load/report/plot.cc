#include "tools/load/report/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace culvert::load {

namespace {

constexpr double kWidth = 800, kHeight = 180, kLeft = 70, kTop = 30, kGap = 70;

struct Curve {
  const char* name;
  const char* colour;
  double (v1::Sample::*value)() const;
};

struct Chart {
  const char* title;
  std::vector<Curve> curves;
};

double HighestOf(const v1::Report& report, const Chart& chart) {
  double highest = 0;
  for (const v1::Sample& sample : report.samples()) {
    for (const Curve& curve : chart.curves) {
      highest = std::max(highest, (sample.*curve.value)());
    }
  }
  return highest > 0 ? highest : 1;
}

// DrawChart draws one below the others, its axis from 0 to the highest value.
std::string DrawChart(const v1::Report& report, const Chart& chart, double top, double seconds) {
  const double highest = HighestOf(report, chart);
  std::string svg = fmt::format(
      "<text x=\"{0}\" y=\"{1}\" font-weight=\"bold\">{2}</text>\n"
      "<rect x=\"{0}\" y=\"{3}\" width=\"{4}\" height=\"{5}\" fill=\"none\" stroke=\"#888\"/>\n"
      "<text x=\"{6}\" y=\"{7}\" text-anchor=\"end\">{8:.5g}</text>\n"
      "<text x=\"{6}\" y=\"{9}\" text-anchor=\"end\">0</text>\n",
      kLeft, top - 10, chart.title, top, kWidth, kHeight, kLeft - 5, top + 10, highest,
      top + kHeight);
  svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{:.0f} s</text>\n",
                     kLeft + kWidth, top + kHeight + 15, seconds);
  double legend = kLeft + 200;
  for (const Curve& curve : chart.curves) {
    std::string points;
    for (const v1::Sample& sample : report.samples()) {
      points += fmt::format("{:.1f},{:.1f} ", kLeft + kWidth * sample.second() / seconds,
                            top + kHeight * (1 - (sample.*curve.value)() / highest));
    }
    svg += fmt::format(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\"/>\n"
        "<text x=\"{}\" y=\"{}\" fill=\"{}\">{}</text>\n",
        points, curve.colour, legend, top - 10, curve.colour, curve.name);
    legend += 150;
  }
  return svg;
}

}  // namespace

std::string Plot(const v1::Report& report) {
  const std::vector<Chart> charts = {
      {"Calls", {{"up", "#1f77b4", &v1::Sample::calls_up}}},
      {"Calls a second",
       {{"set up", "#2ca02c", &v1::Sample::setups}, {"failed", "#d62728", &v1::Sample::failures}}},
      {"Packets a second",
       {{"up, sent", "#1f77b4", &v1::Sample::up_packets},
        {"down, received", "#ff7f0e", &v1::Sample::down_packets}}},
      {"Round trip, ms",
       {{"p50", "#1f77b4", &v1::Sample::latency_p50_ms},
        {"p99", "#d62728", &v1::Sample::latency_p99_ms}}}};
  double seconds = 1;
  for (const v1::Sample& sample : report.samples()) {
    seconds = std::max(seconds, sample.second());
  }
  const double height = kTop + (kHeight + kGap) * static_cast<double>(charts.size());
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
      "viewBox=\"0 0 {0} {1}\" font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"{0}\" height=\"{1}\" fill=\"white\"/>\n",
      kLeft + kWidth + 30, height);
  double top = kTop;
  for (const Chart& chart : charts) {
    svg += DrawChart(report, chart, top, seconds);
    top += kHeight + kGap;
  }
  return svg + "</svg>\n";
}

}  // namespace culvert::load
