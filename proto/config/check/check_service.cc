#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "proto/config/check/check.h"
#include "proto/config/repeats.h"

namespace culvert::config {
namespace {

template <typename Items>
auto Enumerate(const std::string& key, const Items& items) {
  std::vector<Keyed<typename Items::value_type>> keyed;
  for (int i = 0; i < items.size(); ++i) {
    keyed.push_back({fmt::format("{}[{}]", key, i), items.Get(i)});
  }
  return keyed;
}

void CheckSockets(const v1::Config& config, const SourceMap& places,
                  std::vector<Problem>* problems) {
  CheckRepeats<std::string>({{"dataplane.socket", config.dataplane().socket()},
                             {"management.socket", config.management().socket()}},
                            places, problems);
  auto endpoints = Enumerate("pptp.listen", config.pptp().listen());
  endpoints.push_back({"metrics.listen", config.metrics().listen()});
  CheckRepeats(endpoints, places, problems);
}

// CheckAccounting: records go to servers or to a file.
void CheckAccounting(const v1::Config& config, const SourceMap& places,
                     std::vector<Problem>* problems) {
  const auto& servers = config.radius().servers();
  const bool has_servers =
      std::any_of(servers.begin(), servers.end(), [](const v1::RadiusServer& server) {
        return !server.has_acct_port() || server.acct_port() != 0;
      });
  if (has_servers && !config.accounting().file().empty()) {
    problems->push_back(places.At({"accounting.file"},
                                  "is for use without accounting servers: leave it out, or set "
                                  "acct_port = 0 for all of radius.servers"));
  }
}

// CheckRates: a listener that there is, once each, and no rate that not even control frames fit.
void CheckRates(const v1::Config& config, const SourceMap& places, std::vector<Problem>* problems) {
  constexpr uint32_t kMinKbps = 8;
  const auto& listen = config.pptp().listen();
  std::map<std::string, std::string> first;  // the key by the listener
  for (int i = 0; i < config.pptp().rates_size(); ++i) {
    const v1::Rate& rate = config.pptp().rates(i);
    const std::string key = fmt::format("pptp.rates[{}]", i);
    const bool known = rate.listen().empty() ||
                       std::find(listen.begin(), listen.end(), rate.listen()) != listen.end();
    if (!known && places.Usable(key + ".listen") && places.Usable("pptp.listen")) {
      problems->push_back(
          places.At({key + ".listen"}, fmt::format("{} is none of pptp.listen", rate.listen())));
    }
    if (const auto [it, is_new] = first.emplace(rate.listen(), key); !is_new) {
      problems->push_back(
          places.At({key + ".listen", key},
                    fmt::format("{} has these rates for the same listener already", it->second)));
    }
    for (const auto& [name, kbps] : {std::pair{"upstream_kbps", rate.upstream_kbps()},
                                     std::pair{"downstream_kbps", rate.downstream_kbps()}}) {
      if (kbps == 0 || kbps >= kMinKbps || !places.Usable(fmt::format("{}.{}", key, name)))
        continue;
      problems->push_back(places.At({fmt::format("{}.{}", key, name)},
                                    fmt::format("{} is out of range: 0 (no limit), or 8 to "
                                                "1000000000 are allowed",
                                                kbps)));
    }
  }
}

void CheckAuth(const v1::Config& config, const SourceMap& places, std::vector<Problem>* problems) {
  const v1::Auth& auth = config.auth();
  CheckRepeats(Enumerate("auth.methods", auth.methods()), places, problems);
  CheckRepeats(Enumerate("auth.eap_methods", auth.eap_methods()), places, problems);
  CheckRepeats(Enumerate("auth.backends", auth.backends()), places, problems);
  const bool has_local =
      std::find(auth.backends().begin(), auth.backends().end(), "local") != auth.backends().end();
  if (has_local && auth.users_file().empty() && auth.chap_secrets_file().empty() &&
      places.Usable("auth.users_file") && places.Usable("auth.chap_secrets_file")) {
    problems->push_back(places.At({"auth.users_file", "auth.chap_secrets_file"},
                                  "no users: set users_file or chap_secrets_file"));
  }
}

void CheckMppe(const v1::Config& config, const SourceMap& places, std::vector<Problem>* problems) {
  const auto& bits = config.ppp().mppe_bits();
  const std::string& mppe = config.ppp().mppe();
  CheckRepeats(Enumerate("ppp.mppe_bits", bits), places, problems);
  for (int i = 0; i < bits.size(); ++i) {
    const std::string key = fmt::format("ppp.mppe_bits[{}]", i);
    if (!places.Usable(key) || bits[i] == 40 || bits[i] == 56 || bits[i] == 128) continue;
    problems->push_back(places.At({key}, fmt::format("{} is not one of: 40, 56, 128", bits[i])));
  }
  if (!places.Usable("ppp.mppe")) return;
  if (bits.empty() && mppe != "deny" && places.Usable("ppp.mppe_bits")) {
    problems->push_back(
        places.At({"ppp.mppe_bits", "ppp.mppe"},
                  fmt::format("at least one of 40, 56, 128 is needed when mppe = \"{}\"", mppe)));
  }
  const auto& methods = config.auth().methods();
  const bool keyless = std::none_of(methods.begin(), methods.end(), [](const std::string& method) {
    return method == "mschap" || method == "mschap-v2" || method == "eap";
  });
  bool methods_usable = places.Usable("auth.methods") && !methods.empty();
  for (const auto& item : Enumerate("auth.methods", methods)) {
    methods_usable = methods_usable && places.Usable(item.key);
  }
  if (mppe != "require" || !keyless || !methods_usable) return;
  problems->push_back(places.At(
      {"ppp.mppe", "auth.methods"},
      fmt::format("\"require\" cannot be met: none of auth.methods ({}) gives keys for MPPE; "
                  "allow mschap-v2, mschap or eap",
                  fmt::join(methods, ", "))));
}

}  // namespace

void CheckService(const v1::Config& config, const SourceMap& places,
                  std::vector<Problem>* problems) {
  CheckSockets(config, places, problems);
  CheckRates(config, places, problems);
  CheckAccounting(config, places, problems);
  CheckAuth(config, places, problems);
  CheckMppe(config, places, problems);
}

}  // namespace culvert::config
