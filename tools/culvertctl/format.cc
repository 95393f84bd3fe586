#include "tools/culvertctl/format.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <ctime>

namespace culvert::ctl {
namespace {

std::string FormatScaled(uint64_t value, const char* unit) {
  constexpr std::array<const char*, 7> kPrefixes = {"", "k", "M", "G", "T", "P", "E"};
  if (value < 1000) return fmt::format("{} {}", value, unit);
  auto scaled = static_cast<double>(value);
  size_t prefix = 0;
  // 999.95 would be written as 1000.0.
  while (scaled >= 999.95 && prefix + 1 < kPrefixes.size()) {
    scaled /= 1000;
    ++prefix;
  }
  return fmt::format("{:.1f} {}{}", scaled, kPrefixes[prefix], unit);
}

// Width counts code points: users' names may be UTF-8.
size_t Width(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

}  // namespace

std::string FormatOctets(uint64_t octets) { return FormatScaled(octets, "B"); }
std::string FormatRate(uint64_t bps) { return FormatScaled(bps, "bit/s"); }

std::optional<uint64_t> ParseRate(const std::string& text) {
  if (text.empty() || std::isdigit(static_cast<unsigned char>(text[0])) == 0) return std::nullopt;
  size_t digits = text.find_first_not_of("0123456789.");
  if (digits == std::string::npos) digits = text.size();
  const std::string number = text.substr(0, digits);
  const std::string unit = text.substr(digits);
  const double factor = unit.empty() ? 1 : unit == "k" ? 1e3 : unit == "M" ? 1e6 : 1e9;
  if (!unit.empty() && unit != "k" && unit != "M" && unit != "G") return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(number.c_str(), &end) * factor;
  constexpr double kMax = 1e15;
  if (*end != '\0' || value > kMax) return std::nullopt;
  return static_cast<uint64_t>(value + 0.5);
}

std::string FormatDuration(const google::protobuf::Duration& duration) {
  const int64_t s = std::max<int64_t>(0, duration.seconds());
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m{:02}s", s / 60, s % 60);
  if (s < 86400) return fmt::format("{}h{:02}m", s / 3600, s / 60 % 60);
  return fmt::format("{}d{:02}h", s / 86400, s / 3600 % 24);
}

std::string FormatTime(const google::protobuf::Timestamp& time) {
  const time_t seconds = time.seconds();
  std::tm local{};
  char text[32];
  if (localtime_r(&seconds, &local) == nullptr ||
      std::strftime(text, sizeof(text), "%F %T", &local) == 0) {
    return "";
  }
  return text;
}

std::string ToJson(const google::protobuf::Message& message, bool pretty) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = pretty;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  // Fails for bad timestamps only; what was written up to there is of no use.
  if (!google::protobuf::util::MessageToJsonString(message, &json, options).ok()) return "{}";
  return json;
}

std::vector<std::string> Table::Lines() const {
  std::vector<size_t> widths;
  for (const Column& column : columns_) widths.push_back(Width(column.title));
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  const auto line = [&](const auto& cell) {
    std::string text;
    for (size_t i = 0; i < columns_.size(); ++i) {
      const std::string pad(widths[i] - Width(cell(i)), ' ');
      if (i > 0) text += "  ";
      text += columns_[i].align == Align::kRight ? pad + cell(i) : cell(i) + pad;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  };
  std::vector<std::string> lines = {line([&](size_t i) { return columns_[i].title; })};
  for (const auto& row : rows_) lines.push_back(line([&](size_t i) { return row[i]; }));
  return lines;
}

}  // namespace culvert::ctl
