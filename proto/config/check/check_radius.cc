#include <fmt/format.h>

#include <algorithm>

#include "proto/config/address/address6.h"
#include "proto/config/check/check.h"
#include "proto/config/repeats.h"

namespace culvert::config {
namespace {

constexpr uint32_t kAuthPort = 1812;

bool IsIpv6(const std::string& text) { return ParseIpv6(text).has_value(); }

void CheckSources(const v1::Radius& radius, const SourceMap& places,
                  std::vector<Problem>* problems) {
  const auto& sources = radius.source_addresses();
  if (sources.size() == 2 && IsIpv6(sources[0]) == IsIpv6(sources[1]) &&
      places.Usable("radius.source_addresses[0]") && places.Usable("radius.source_addresses[1]")) {
    problems->push_back(places.At({"radius.source_addresses[1]"},
                                  fmt::format("{} is the second of its family: one IPv4 and one "
                                              "IPv6 address are allowed",
                                              sources[1])));
  }
}

void CheckSecret(const v1::RadiusServer& server, const std::string& key, const SourceMap& places,
                 std::vector<Problem>* problems) {
  if (!places.Usable(key + ".secret") || !places.Usable(key + ".secret_file") ||
      server.secret().empty() != server.secret_file().empty()) {
    return;
  }
  problems->push_back(places.At({key + ".secret", key + ".secret_file", key},
                                server.secret().empty()
                                    ? "no secret: set secret_file or secret"
                                    : "two secrets: take secret or secret_file away"));
}

}  // namespace

void CheckRadius(const v1::Config& config, const SourceMap& places,
                 std::vector<Problem>* problems) {
  const v1::Radius& radius = config.radius();
  CheckSources(radius, places, problems);
  std::vector<Keyed<std::string>> names;
  bool has_authentication = false;
  for (int i = 0; i < radius.servers_size(); ++i) {
    const v1::RadiusServer& server = radius.servers(i);
    const std::string key = fmt::format("radius.servers[{}]", i);
    names.push_back({key + ".name", server.name()});
    CheckSecret(server, key, places, problems);
    has_authentication = has_authentication || !server.has_auth_port() || server.auth_port() != 0;
  }
  CheckRepeats(names, places, problems);
  const auto& backends = config.auth().backends();
  const bool is_asked = std::find(backends.begin(), backends.end(), "radius") != backends.end();
  if (is_asked && !has_authentication && places.Usable("radius.servers") &&
      places.Usable("auth.backends")) {
    problems->push_back(
        places.At({"auth.backends", "radius.servers"},
                  fmt::format("\"radius\" has nobody to ask: name one of [[radius.servers]], with "
                              "an auth_port such as {}",
                              kAuthPort)));
  }
}

}  // namespace culvert::config
