#include "controlplane/settings_ipv6.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <span>

#include "controlplane/crypto/primitives.h"

namespace culvert {
namespace {

constexpr uint32_t kMinMtu = 1280;  // RFC 8200 s5
constexpr uint32_t kMppeLen = 4;

ipv6::Addressing AddressingOf(const std::string& name) {
  if (name == "dhcp") {
    return ipv6::Addressing::kDhcp;
  }
  return name == "both" ? ipv6::Addressing::kBoth : ipv6::Addressing::kSlaac;
}

// ServerDuid is a DUID-UUID (RFC 6355): clients know us again after a restart.
std::vector<uint8_t> ServerDuid(const std::string& machine) {
  constexpr size_t kUuidLen = 16;
  constexpr std::string_view kUse = "culvert dhcpv6 ";
  const auto octets = [](std::string_view text) {
    return std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  };
  const Secret hash = crypto::Sha1({octets(kUse), octets(machine)});
  std::vector<uint8_t> duid = {0, 4};
  const auto uuid = hash.octets().first(kUuidLen);
  duid.insert(duid.end(), uuid.begin(), uuid.end());
  return duid;
}

}  // namespace

std::shared_ptr<const ipv6::LinkSettings> MakeLinkSettings(const config::v1::Config& config,
                                                           const std::string& machine) {
  const config::v1::Ipv6& from = config.ipv6();
  auto settings = std::make_shared<ipv6::LinkSettings>();
  settings->addressing = AddressingOf(from.addressing());
  settings->advertisement_interval_s = from.advertisement_interval_s();
  settings->preferred_lifetime_s = from.preferred_lifetime_s();
  settings->valid_lifetime_s = from.valid_lifetime_s();
  for (const std::string& text : from.dns()) {
    if (const auto address = config::ParseIpv6(text)) {
      settings->dns.push_back(*address);
    }
  }
  // What clients send must fit our MRU, around which MPPE needs room.
  const uint32_t around = config.ppp().mppe() == "deny" ? 0 : kMppeLen;
  settings->mtu = std::max(kMinMtu, std::min(config.ppp().mru() - around, config.ppp().mtu()));
  settings->server_duid = ServerDuid(machine);
  return settings;
}

std::vector<ipv6::PrefixPools::Pool> MakePrefixPools(const config::v1::Config& config) {
  std::vector<ipv6::PrefixPools::Pool> pools;
  for (const config::v1::Ipv6Pool& from : config.ipv6().pools()) {
    ipv6::PrefixPools::Pool& pool = pools.emplace_back();
    pool.name = from.name();
    pool.length = static_cast<uint8_t>(from.length());
    for (const std::string& text : from.prefixes()) {
      if (const auto prefix = config::ParsePrefix6(text)) {
        pool.prefixes.push_back(*prefix);
      }
    }
  }
  return pools;
}

ipv6::PrefixAssignment::Choice MakePrefixChoice(const config::v1::Config& config) {
  return {.pool = config.ipv6().pool(), .delegated_pool = config.ipv6().delegated_pool()};
}

std::string MachineName() {
  std::string name;
  if (std::getline(std::ifstream("/etc/machine-id"), name) && !name.empty()) {
    return name;
  }
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  return host.data();
}

}  // namespace culvert
