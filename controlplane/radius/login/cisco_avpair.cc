#include "controlplane/radius/login/cisco_avpair.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>

#include <vector>

#include "controlplane/management/call_change.h"

namespace culvert::radius {

namespace {

constexpr std::string_view kPool = "ip:addr-pool=";
constexpr std::string_view kInterface = "lcp:interface-config";

// ReadRate: false: no rate where one must be. The pair may have any other command of an interface.
bool ReadRate(std::string_view pair, CiscoPairs& pairs) {
  const size_t equals = pair.find('=');
  if (equals == std::string_view::npos) {
    return true;
  }
  const std::vector<std::string> words =
      absl::StrSplit(std::string(pair.substr(equals + 1)), ' ', absl::SkipEmpty());
  if (words.empty() || words[0] != "rate-limit") {
    return true;
  }
  uint64_t bps = 0;
  if (words.size() < 3 || !absl::SimpleAtoi(words[2], &bps) || bps > kMaxRateBps ||
      (words[1] != "input" && words[1] != "output")) {
    return false;
  }
  (words[1] == "input" ? pairs.upstream_bps : pairs.downstream_bps) = bps;
  return true;
}

}  // namespace

std::optional<CiscoPairs> ReadCiscoPairs(const Packet& packet) {
  CiscoPairs pairs;
  for (const Attribute& attribute : packet.attributes) {
    if (attribute.id != attr::kCiscoAvPair) {
      continue;
    }
    const std::string_view pair = TextOf(attribute.value);
    if (pair.starts_with(kPool)) {
      pairs.pool = pair.substr(kPool.size());
    } else if (pair.starts_with(kInterface) && !ReadRate(pair, pairs)) {
      return std::nullopt;
    }
  }
  return pairs;
}

}  // namespace culvert::radius
