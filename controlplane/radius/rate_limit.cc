#include "controlplane/radius/rate_limit.h"

#include <array>
#include <vector>

namespace culvert::radius {

namespace {

constexpr uint64_t kMaxBps = 1'000'000'000'000;

std::optional<uint64_t> ParseNumber(std::string_view text, bool may_have_unit) {
  uint64_t unit = 1;
  if (may_have_unit && !text.empty()) {
    switch (text.back()) {
      case 'k':
      case 'K':
        unit = 1'000;
        break;
      case 'M':
      case 'm':
        unit = 1'000'000;
        break;
      case 'G':
      case 'g':
        unit = 1'000'000'000;
        break;
      default:
        break;
    }
    text.remove_suffix(unit == 1 ? 0 : 1);
  }
  uint64_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    value = value * 10 + static_cast<uint64_t>(c - '0');
    if (value * unit > kMaxBps) {
      return std::nullopt;
    }
  }
  return text.empty() ? std::nullopt : std::optional(value * unit);
}

// Split leaves out empty pieces when `skip_empty`.
std::vector<std::string_view> Split(std::string_view text, char separator, bool skip_empty) {
  std::vector<std::string_view> pieces;
  while (true) {
    const size_t end = text.find(separator);
    const std::string_view piece = text.substr(0, end);
    if (!piece.empty() || !skip_empty) {
      pieces.push_back(piece);
    }
    if (end == std::string_view::npos) {
      return pieces;
    }
    text.remove_prefix(end + 1);
  }
}

// ParsePair: "a" stands for "a/a".
std::optional<RateLimit> ParsePair(std::string_view text, bool may_have_unit) {
  const std::vector<std::string_view> sides = Split(text, '/', false);
  if (sides.size() > 2) {
    return std::nullopt;
  }
  const std::optional<uint64_t> rx = ParseNumber(sides.front(), may_have_unit);
  const std::optional<uint64_t> tx = ParseNumber(sides.back(), may_have_unit);
  if (!rx || !tx) {
    return std::nullopt;
  }
  return RateLimit{.upstream_bps = *rx, .downstream_bps = *tx};
}

}  // namespace

std::optional<RateLimit> ParseRateLimit(std::string_view text) {
  // rate, burst, threshold, time (seconds), priority, minimum
  constexpr std::array<bool, 6> kHasUnit = {true, true, true, false, false, true};
  const std::vector<std::string_view> words = Split(text, ' ', true);
  if (words.empty() || words.size() > kHasUnit.size()) {
    return std::nullopt;
  }
  for (size_t i = 0; i < words.size(); ++i) {
    if (!ParsePair(words[i], kHasUnit[i])) {
      return std::nullopt;
    }
  }
  return ParsePair(words[0], true);
}

}  // namespace culvert::radius
