#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>

#include "proto/config/address/address.h"
#include "proto/config/address/address6.h"
#include "proto/config/check/check.h"
#include "proto/config/repeats.h"

namespace culvert::config {
namespace {

struct PoolRange {
  std::string key;  // "pools[0].ranges[1]"
  std::string text;
  Ipv4Range range;
};

std::vector<PoolRange> UsableRanges(const v1::Config& config, const SourceMap& places) {
  std::vector<PoolRange> ranges;
  for (int i = 0; i < config.pools_size(); ++i) {
    for (int j = 0; j < config.pools(i).ranges_size(); ++j) {
      std::string key = fmt::format("pools[{}].ranges[{}]", i, j);
      const std::string& text = config.pools(i).ranges(j);
      const auto range = ParseRange(text);
      if (range && places.Usable(key)) ranges.push_back({std::move(key), text, *range});
    }
  }
  return ranges;
}

// CheckNext: a pool that there is, and no way round in a ring.
void CheckNext(const v1::Config& config, const SourceMap& places, std::vector<Problem>* problems) {
  std::map<std::string, std::string> next;  // by name
  for (const v1::Pool& pool : config.pools()) next.emplace(pool.name(), pool.next());
  for (int i = 0; i < config.pools_size(); ++i) {
    const std::string key = fmt::format("pools[{}].next", i);
    const std::string& name = config.pools(i).next();
    if (name.empty() || !places.Usable(key)) continue;
    if (!next.contains(name)) {
      problems->push_back(places.At({key}, fmt::format("there is no pool named \"{}\"", name)));
      continue;
    }
    std::string at = name;
    for (size_t step = 0; step < next.size() && at != config.pools(i).name(); ++step) {
      at = next.contains(at) ? next.at(at) : "";
    }
    if (at == config.pools(i).name()) {
      problems->push_back(places.At({key}, fmt::format("leads back to \"{}\" itself", at)));
    }
  }
}

// CheckListeners: a listener that there is, once each, and a pool that there is.
void CheckListeners(const v1::Config& config, const SourceMap& places,
                    std::vector<Problem>* problems) {
  const auto& listen = config.pptp().listen();
  std::map<std::string, std::string> first;  // the key by the listener
  for (int i = 0; i < config.pptp().pools_size(); ++i) {
    const v1::ListenerPool& entry = config.pptp().pools(i);
    const std::string key = fmt::format("pptp.pools[{}]", i);
    const bool known = entry.listen().empty() ||
                       std::find(listen.begin(), listen.end(), entry.listen()) != listen.end();
    if (!known && places.Usable(key + ".listen") && places.Usable("pptp.listen")) {
      problems->push_back(
          places.At({key + ".listen"}, fmt::format("{} is none of pptp.listen", entry.listen())));
    }
    if (const auto [it, is_new] = first.emplace(entry.listen(), key); !is_new) {
      problems->push_back(
          places.At({key + ".listen", key},
                    fmt::format("{} has a pool for the same listener already", it->second)));
    }
    const auto is_named = [&](const v1::Pool& pool) { return pool.name() == entry.pool(); };
    if (!entry.pool().empty() && places.Usable(key + ".pool") &&
        std::none_of(config.pools().begin(), config.pools().end(), is_named)) {
      problems->push_back(
          places.At({key + ".pool"}, fmt::format("there is no pool named \"{}\"", entry.pool())));
    }
  }
}

void CheckNames(const v1::Config& config, const SourceMap& places, std::vector<Problem>* problems) {
  std::vector<Keyed<std::string>> names;
  for (int i = 0; i < config.pools_size(); ++i) {
    names.push_back({fmt::format("pools[{}].name", i), config.pools(i).name()});
  }
  CheckRepeats(names, places, problems);
}

// CheckOverlaps walks the ranges from low to high with the one that reaches highest so far, so
// that thousands of ranges cost no square.
void CheckOverlaps(std::vector<PoolRange> ranges, const SourceMap& places,
                   std::vector<Problem>* problems) {
  std::stable_sort(ranges.begin(), ranges.end(), [](const PoolRange& a, const PoolRange& b) {
    return a.range.first < b.range.first;
  });
  const PoolRange* highest = nullptr;
  for (const PoolRange& range : ranges) {
    if (highest != nullptr && range.range.first <= highest->range.last) {
      // The one that stands later in the file is the one to name.
      const bool later = places.Find(range.key).line >= places.Find(highest->key).line;
      const PoolRange& named = later ? range : *highest;
      const PoolRange& other = later ? *highest : range;
      problems->push_back(places.At(
          {named.key}, fmt::format("{} overlaps {} ({})", named.text, other.key, other.text)));
    }
    if (highest == nullptr || range.range.last > highest->range.last) highest = &range;
  }
}

// An address as a host cannot have it: 0/8, loopback, multicast and beyond (RFC 6890).
bool IsUnicast(const Ipv4Range& range) {
  constexpr Ipv4Range kNotUnicast[] = {
      {0x00000000, 0x00ffffff}, {0x7f000000, 0x7fffffff}, {0xe0000000, 0xffffffff}};
  return std::none_of(std::begin(kNotUnicast), std::end(kNotUnicast), [&](const Ipv4Range& other) {
    return range.first <= other.last && other.first <= range.last;
  });
}

// OurAddresses: what a client must never be given.
std::vector<Keyed<uint32_t>> OurAddresses(const v1::Config& config, const SourceMap& places) {
  std::vector<Keyed<uint32_t>> ours;
  const auto add = [&](const std::string& key, std::optional<uint32_t> address) {
    if (!address || !places.Usable(key)) return;
    // The gateway's address stands on the TUN too: once is enough to say so.
    for (const auto& other : ours) {
      if (other.value == *address) return;
    }
    ours.push_back({key, *address});
  };
  const auto add_interface = [&](const std::string& prefix, const auto& addresses) {
    for (int i = 0; i < addresses.size(); ++i) {
      const auto parsed = ParseInterface(addresses.Get(i));
      if (parsed) add(fmt::format("{}[{}]", prefix, i), parsed->address);
    }
  };
  add("ppp.gateway_address", ParseIpv4(config.ppp().gateway_address()));
  add_interface("dataplane.clients.addresses", config.dataplane().clients().addresses());
  for (int i = 0; i < config.dataplane().ports_size(); ++i) {
    add_interface(fmt::format("dataplane.ports[{}].addresses", i),
                  config.dataplane().ports(i).addresses());
  }
  return ours;
}

bool Covered(const Ipv4Range& range, std::vector<Ipv4Prefix> routes) {
  std::sort(routes.begin(), routes.end(),
            [](const Ipv4Prefix& a, const Ipv4Prefix& b) { return a.address < b.address; });
  uint64_t next = range.first;  // first address that no route has covered yet
  for (const Ipv4Prefix& route : routes) {
    if (route.First() <= next && route.Last() >= next) next = uint64_t{route.Last()} + 1;
  }
  return next > range.last;
}

void CheckRoutes(const v1::Config& config, const std::vector<PoolRange>& ranges,
                 const SourceMap& places, std::vector<Problem>* problems) {
  const auto& texts = config.dataplane().clients().routes();
  std::vector<Ipv4Prefix> routes;
  for (int i = 0; i < texts.size(); ++i) {
    if (ParsePrefix6(texts[i])) continue;
    const auto route = ParsePrefix(texts[i]);
    if (!route || !places.Usable(fmt::format("dataplane.clients.routes[{}]", i))) return;
    routes.push_back(*route);
  }
  if (texts.empty()) return;
  for (const PoolRange& range : ranges) {
    if (Covered(range.range, routes)) continue;
    problems->push_back(places.At(
        {range.key, "dataplane.clients.routes"},
        fmt::format("{} is not covered by dataplane.clients.routes ({}), so nothing could reach "
                    "these clients: add the prefix there, or set routes = [] when another program "
                    "makes the routes",
                    range.text, fmt::join(texts, ", "))));
  }
}

}  // namespace

void CheckPools(const v1::Config& config, const SourceMap& places, std::vector<Problem>* problems) {
  CheckNames(config, places, problems);
  CheckNext(config, places, problems);
  CheckListeners(config, places, problems);
  const std::vector<PoolRange> ranges = UsableRanges(config, places);
  CheckOverlaps(ranges, places, problems);
  CheckRoutes(config, ranges, places, problems);
  const auto ours = OurAddresses(config, places);
  for (const PoolRange& range : ranges) {
    if (!IsUnicast(range.range)) {
      problems->push_back(places.At(
          {range.key}, fmt::format("{} holds addresses that no host can have: unicast addresses "
                                   "are allowed, 1.0.0.0-223.255.255.255 without 127.0.0.0/8",
                                   range.text)));
    }
    for (const auto& [key, address] : ours) {
      if (!range.range.Contains(address)) continue;
      problems->push_back(
          places.At({range.key, key}, fmt::format("{} holds {}, our own address ({}): leave it out",
                                                  range.text, FormatIpv4(address), key)));
    }
  }
}

}  // namespace culvert::config
