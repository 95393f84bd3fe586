#include "controlplane/aaa/users/address_rules.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "controlplane/logging/printable.h"

namespace culvert {

namespace {

using Ranges = std::vector<config::Ipv4Range>;

struct Rule {
  bool allow = true;
  config::Ipv4Range range;
};

std::optional<Rule> ParseRule(std::string_view word) {
  Rule rule;
  if (word.starts_with('!')) {
    rule.allow = false;
    word.remove_prefix(1);
  }
  const size_t slash = word.find('/');
  std::optional<uint32_t> address = config::ParseIpv4(word.substr(0, slash));
  if (!address) {
    return std::nullopt;
  }
  config::Ipv4Prefix prefix{.address = *address, .length = 32};
  if (slash != std::string_view::npos) {
    std::string_view digits = word.substr(slash + 1);
    if (digits.ends_with('+')) {  // "and our unit number": which of the network is ours to choose
      digits.remove_suffix(1);
    }
    uint32_t length = 0;
    if (digits.empty() || digits.size() > 2 ||
        !absl::SimpleAtoi(absl::string_view(digits.data(), digits.size()), &length) || length < 1 ||
        length > 32) {
      return std::nullopt;
    }
    prefix.length = static_cast<uint8_t>(length);
  }
  rule.range = {.first = prefix.First(), .last = prefix.Last()};
  return rule;
}

// Without gives what of `range` is in none of `taken`.
Ranges Without(config::Ipv4Range range, Ranges taken) {
  std::sort(taken.begin(), taken.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  Ranges left;
  uint64_t next = range.first;
  for (const config::Ipv4Range& other : taken) {
    if (other.first > range.last || other.last < next) {
      continue;
    }
    if (other.first > next) {
      left.push_back({.first = static_cast<uint32_t>(next), .last = other.first - 1});
    }
    next = std::max<uint64_t>(next, uint64_t{other.last} + 1);
  }
  if (next <= range.last) {
    left.push_back({.first = static_cast<uint32_t>(next), .last = range.last});
  }
  return left;
}

}  // namespace

std::string ApplyAddressRules(std::span<const std::string> words, CallGrants& grants) {
  constexpr config::Ipv4Range kAll = {.first = 0, .last = UINT32_MAX};
  Ranges allowed;
  Ranges decided;  // by the words so far
  uint32_t fixed = 0;
  bool restricted = !words.empty();
  for (const std::string& word : words) {
    if (word == "-") {
      break;
    }
    if (word == "*") {
      restricted = !decided.empty();
      for (const config::Ipv4Range& range : Without(kAll, decided)) {
        allowed.push_back(range);
      }
      break;
    }
    const std::optional<Rule> rule = ParseRule(word);
    if (!rule) {
      return absl::StrCat("\"", Printable(word),
                          "\" is none of: *, -, an IPv4 address such as 192.0.2.1, a network such "
                          "as 192.0.2.0/24 or 192.0.2.0/24+, or one of the two after a !");
    }
    if (rule->allow) {
      for (const config::Ipv4Range& range : Without(rule->range, decided)) {
        allowed.push_back(range);
        const bool alone = range.first == range.last && rule->range.Size() == 1;
        fixed = fixed == 0 && alone ? range.first : fixed;
      }
    }
    decided.push_back(rule->range);
  }
  if (restricted) {
    grants.fixed_address = fixed;
    grants.allowed_addresses = std::move(allowed);
  }
  return "";
}

}  // namespace culvert
