#include "controlplane/radius/settings.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

#include "controlplane/aaa/secret_file.h"
#include "proto/config/address/address.h"
#include "proto/config/address/address6.h"

namespace culvert::radius {

namespace {

constexpr uint64_t kMsPerSecond = 1000;
constexpr uint16_t kAuthPort = 1812, kAcctPort = 1813;
constexpr uint32_t kDeadTimeS = 30;
constexpr size_t kMaxSecretLen = 255;

MessageAuthenticatorPolicy PolicyOf(const std::string& name) {
  if (name == "required") {
    return MessageAuthenticatorPolicy::kRequired;
  }
  return name == "off" ? MessageAuthenticatorPolicy::kOff : MessageAuthenticatorPolicy::kAuto;
}

// ReadSecret: from the file, without one newline at its end, or from the configuration.
absl::Status ReadSecret(const config::v1::RadiusServer& from, Secret& secret) {
  if (from.secret_file().empty()) {
    secret = Secret({reinterpret_cast<const uint8_t*>(from.secret().data()), from.secret().size()});
    return absl::OkStatus();
  }
  Secret contents;
  if (absl::Status status = ReadSecretFile(from.secret_file(), contents); !status.ok()) {
    return status;
  }
  Octets octets = contents.octets();
  if (!octets.empty() && octets.back() == '\n') {
    octets = octets.first(octets.size() - 1);
  }
  if (octets.empty() || octets.size() > kMaxSecretLen) {
    return absl::InvalidArgumentError(
        absl::StrCat("must hold one line of 1 to ", kMaxSecretLen, " octets"));
  }
  secret = Secret(octets);
  return absl::OkStatus();
}

}  // namespace

std::vector<config::Problem> ReadClientSettings(const config::v1::Config& config,
                                                ClientSettings& settings) {
  const config::v1::Radius& radius = config.radius();
  std::vector<config::Problem> problems;
  settings.times = {.initial_ms = radius.retransmit_ms(),
                    .tries = radius.tries(),
                    .deadline_ms = radius.deadline_s() * kMsPerSecond};
  for (const std::string& source : radius.source_addresses()) {
    (config::ParseIpv4(source) ? settings.source_ipv4 : settings.source_ipv6) = source;
  }
  for (const config::v1::RadiusServer& from : radius.servers()) {
    Secret secret;
    if (absl::Status status = ReadSecret(from, secret); !status.ok()) {
      problems.push_back({.file = from.secret_file(),
                          .line = 0,
                          .key = "",
                          .message = std::string(status.message())});
      continue;
    }
    ServerSettings server;
    server.name = from.name();
    server.address = from.address();
    server.secret = std::make_shared<const Secret>(std::move(secret));
    server.priority = from.has_priority() ? from.priority() : 1;
    server.weight = from.has_weight() ? from.weight() : 1;
    server.dead_time_ms = (from.has_dead_time_s() ? from.dead_time_s() : kDeadTimeS) * kMsPerSecond;
    server.message_authenticator = PolicyOf(from.message_authenticator());
    server.recovery = from.recovery() == "request" ? Recovery::kRequest : Recovery::kStatusServer;
    server.port = static_cast<uint16_t>(from.has_auth_port() ? from.auth_port() : kAuthPort);
    if (server.port != 0) {
      settings.authentication.push_back(server);
    }
    server.port = static_cast<uint16_t>(from.has_acct_port() ? from.acct_port() : kAcctPort);
    if (server.port != 0) {
      settings.accounting.push_back(std::move(server));
    }
  }
  return problems;
}

NasIdentity MakeNasIdentity(const config::v1::Config& config) {
  NasIdentity nas;
  nas.identifier = config.radius().nas_identifier();
  nas.ipv4 = config::ParseIpv4(config.radius().nas_address());
  nas.ipv6 = config::ParseIpv6(config.radius().nas_address());
  nas.host_name = config.pptp().host_name();
  return nas;
}

AccessSettings MakeAccessSettings(const config::v1::Config& config) {
  constexpr uint32_t kEapOverhead = 4;
  // RFC 3579 s2.4: what fits both what we take and what we send.
  const uint32_t mtu = std::min(config.ppp().mru(), config.ppp().mtu());
  return {.nas = MakeNasIdentity(config), .framed_mtu = static_cast<uint16_t>(mtu - kEapOverhead)};
}

}  // namespace culvert::radius
