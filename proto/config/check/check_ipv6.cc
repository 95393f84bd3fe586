#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "proto/config/address/address6.h"
#include "proto/config/check/check.h"
#include "proto/config/repeats.h"

namespace culvert::config {
namespace {

struct PoolPrefix {
  std::string key;  // "ipv6.pools[0].prefixes[1]"
  std::string text;
  Ipv6Prefix prefix;
  uint32_t pool_length = 0;
};

std::vector<PoolPrefix> UsablePrefixes(const v1::Config& config, const SourceMap& places) {
  std::vector<PoolPrefix> prefixes;
  for (int i = 0; i < config.ipv6().pools_size(); ++i) {
    const v1::Ipv6Pool& pool = config.ipv6().pools(i);
    for (int j = 0; j < pool.prefixes_size(); ++j) {
      std::string key = fmt::format("ipv6.pools[{}].prefixes[{}]", i, j);
      const auto prefix = ParsePrefix6(pool.prefixes(j));
      if (prefix && places.Usable(key)) {
        prefixes.push_back({std::move(key), pool.prefixes(j), *prefix, pool.length()});
      }
    }
  }
  return prefixes;
}

bool Overlap(const Ipv6Prefix& a, const Ipv6Prefix& b) {
  return a.length <= b.length ? a.Contains(b.address) : b.Contains(a.address);
}

// What a client can have: no group, link-local or loopback address (RFC 4291 s2.4).
bool IsUnicast(const Ipv6Prefix& prefix) {
  const auto is_zero = [](uint8_t octet) { return octet == 0; };
  const bool low = std::all_of(prefix.address.begin(), prefix.address.begin() + 8, is_zero);
  return !low && !Overlap(prefix, {{0xff}, 8}) && !Overlap(prefix, {{0xfe, 0x80}, 10});
}

// CheckOverlaps walks the prefixes in order of address, where one that holds another comes
// before it.
void CheckOverlaps(std::vector<PoolPrefix> prefixes, const SourceMap& places,
                   std::vector<Problem>* problems) {
  std::stable_sort(prefixes.begin(), prefixes.end(), [](const PoolPrefix& a, const PoolPrefix& b) {
    return a.prefix.address != b.prefix.address ? a.prefix.address < b.prefix.address
                                                : a.prefix.length < b.prefix.length;
  });
  const PoolPrefix* widest = nullptr;
  for (const PoolPrefix& prefix : prefixes) {
    if (widest == nullptr || !Overlap(widest->prefix, prefix.prefix)) {
      widest = &prefix;
      continue;
    }
    const bool later = places.Find(prefix.key).line >= places.Find(widest->key).line;
    const PoolPrefix& named = later ? prefix : *widest;
    const PoolPrefix& other = later ? *widest : prefix;
    problems->push_back(places.At(
        {named.key}, fmt::format("{} overlaps {} ({})", named.text, other.key, other.text)));
  }
}

void CheckRoutes(const v1::Config& config, const std::vector<PoolPrefix>& prefixes,
                 const SourceMap& places, std::vector<Problem>* problems) {
  const auto& texts = config.dataplane().clients().routes();
  if (texts.empty() || config.ppp().ipv6() != "allow") return;
  for (const PoolPrefix& prefix : prefixes) {
    const bool covered = std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
      const auto route = ParsePrefix6(text);
      return route && route->length <= prefix.prefix.length &&
             route->Contains(prefix.prefix.address);
    });
    if (covered) continue;
    problems->push_back(places.At(
        {prefix.key, "dataplane.clients.routes"},
        fmt::format("{} is not covered by dataplane.clients.routes ({}), so nothing could reach "
                    "these clients: add the prefix there, or set routes = [] when another program "
                    "makes the routes",
                    prefix.text, fmt::join(texts, ", "))));
  }
}

void CheckOurAddresses(const v1::Config& config, const std::vector<PoolPrefix>& prefixes,
                       const SourceMap& places, std::vector<Problem>* problems) {
  const auto check = [&](const std::string& field, const auto& texts) {
    for (int i = 0; i < texts.size(); ++i) {
      const auto ours = ParseInterface6(texts[i]);
      const std::string key = fmt::format("{}[{}]", field, i);
      if (!ours || !places.Usable(key)) continue;
      for (const PoolPrefix& prefix : prefixes) {
        if (!prefix.prefix.Contains(ours->address)) continue;
        problems->push_back(places.At({prefix.key, key},
                                      fmt::format("{} holds {}, our own address ({}): leave it out",
                                                  prefix.text, FormatIpv6(ours->address), key)));
      }
    }
  };
  check("dataplane.clients.addresses", config.dataplane().clients().addresses());
  for (int i = 0; i < config.dataplane().ports_size(); ++i) {
    check(fmt::format("dataplane.ports[{}].addresses", i), config.dataplane().ports(i).addresses());
  }
}

// CheckChoice: the pool that a key names exists.
void CheckChoice(const v1::Config& config, const char* key, const std::string& name,
                 const SourceMap& places, std::vector<Problem>* problems) {
  if (name.empty() || !places.Usable(key)) return;
  for (const v1::Ipv6Pool& pool : config.ipv6().pools()) {
    if (pool.name() != name) continue;
    const bool is_link = std::string_view(key) == "ipv6.pool";
    if (is_link && pool.length() != 64 && config.ipv6().addressing() != "dhcp") {
      problems->push_back(places.At(
          {key, "ipv6.addressing"},
          fmt::format("\"{}\" gives prefixes of length {}, and clients can make up addresses with "
                      "64 only (RFC 4862): take such a pool, or set addressing = \"dhcp\"",
                      name, pool.length())));
    }
    return;
  }
  problems->push_back(places.At({key}, fmt::format("no pool has the name \"{}\"", name)));
}

void CheckPppMtu(const v1::Config& config, const SourceMap& places,
                 std::vector<Problem>* problems) {
  // RFC 8200 s5, and four octets for MPPE.
  constexpr uint32_t kMinMtu = 1280;
  constexpr uint32_t kMinMru = kMinMtu + 4;
  if (config.ppp().ipv6() != "allow") return;
  const auto check = [&](const char* key, uint32_t value, uint32_t least) {
    if (value >= least || !places.Usable(key)) return;
    problems->push_back(places.At(
        {key, "ppp.ipv6"}, fmt::format("{} is too small for IPv6: at least {}", value, least)));
  };
  check("ppp.mtu", config.ppp().mtu(), kMinMtu);
  check("ppp.mru", config.ppp().mru(), kMinMru);
}

}  // namespace

void CheckIpv6(const v1::Config& config, const SourceMap& places, std::vector<Problem>* problems) {
  std::vector<Keyed<std::string>> names;
  for (int i = 0; i < config.ipv6().pools_size(); ++i) {
    names.push_back({fmt::format("ipv6.pools[{}].name", i), config.ipv6().pools(i).name()});
    const std::string length = fmt::format("ipv6.pools[{}].length", i);
    if (config.ipv6().pools(i).length() == 0 && places.Usable(length)) {
      problems->push_back(places.At({length}, "is missing and has no default"));
    }
  }
  CheckRepeats(names, places, problems);
  const std::vector<PoolPrefix> prefixes = UsablePrefixes(config, places);
  for (const PoolPrefix& prefix : prefixes) {
    if (!IsUnicast(prefix.prefix)) {
      problems->push_back(places.At(
          {prefix.key}, fmt::format("{} holds addresses that no host can have", prefix.text)));
    }
    if (prefix.prefix.length > prefix.pool_length && prefix.pool_length != 0) {
      problems->push_back(
          places.At({prefix.key}, fmt::format("{} is smaller than what one call gets, a /{}",
                                              prefix.text, prefix.pool_length)));
    }
  }
  CheckOverlaps(prefixes, places, problems);
  CheckRoutes(config, prefixes, places, problems);
  CheckOurAddresses(config, prefixes, places, problems);
  CheckChoice(config, "ipv6.pool", config.ipv6().pool(), places, problems);
  CheckChoice(config, "ipv6.delegated_pool", config.ipv6().delegated_pool(), places, problems);
  CheckPppMtu(config, places, problems);
  if (config.ipv6().preferred_lifetime_s() > config.ipv6().valid_lifetime_s() &&
      places.Usable("ipv6.preferred_lifetime_s") && places.Usable("ipv6.valid_lifetime_s")) {
    problems->push_back(places.At(
        {"ipv6.preferred_lifetime_s", "ipv6.valid_lifetime_s"},
        fmt::format("{} is above ipv6.valid_lifetime_s, {}", config.ipv6().preferred_lifetime_s(),
                    config.ipv6().valid_lifetime_s())));
  }
}

}  // namespace culvert::config
