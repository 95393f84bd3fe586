#include "controlplane/settings.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "controlplane/settings_ipv6.h"

namespace culvert {

namespace {

constexpr uint64_t kMsPerSecond = 1000;

struct MethodName {
  std::string_view name;
  AuthMethod method;
};
constexpr std::array<MethodName, 5> kMethods = {{
    {"pap", AuthMethod::kPap},
    {"chap-md5", AuthMethod::kChapMd5},
    {"mschap", AuthMethod::kMsChap},
    {"mschap-v2", AuthMethod::kMsChapV2},
    {"eap", AuthMethod::kEap},
}};

ppp::MppePolicy PolicyOf(std::string_view name) {
  if (name == "deny") {
    return ppp::MppePolicy::kDeny;
  }
  return name == "require" ? ppp::MppePolicy::kRequire : ppp::MppePolicy::kAllow;
}

std::vector<uint32_t> Addresses(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  std::vector<uint32_t> addresses;
  for (const std::string& text : texts) {
    addresses.push_back(config::ParseIpv4(text).value_or(0));
  }
  return addresses;
}

}  // namespace

std::shared_ptr<const pptp::ControlSettings> MakeControlSettings(const config::v1::Config& config) {
  const config::v1::Pptp& from = config.pptp();
  auto settings = std::make_shared<pptp::ControlSettings>();
  settings->host_name = from.host_name();
  settings->vendor = from.vendor();
  settings->start_timeout_ms = from.start_timeout_s() * kMsPerSecond;
  settings->echo_interval_ms = from.echo_interval_s() * kMsPerSecond;
  settings->echo_timeout_ms = from.echo_timeout_s() * kMsPerSecond;
  settings->stop_timeout_ms = from.stop_timeout_s() * kMsPerSecond;
  settings->receive_window = static_cast<uint16_t>(from.receive_window());
  settings->idle_timeout_ms = from.idle_timeout_s() * kMsPerSecond;
  settings->call_timeout_ms = from.call_timeout_s() * kMsPerSecond;
  settings->incoming_calls = from.incoming_calls();
  settings->max_calls = from.max_calls_per_connection();
  return settings;
}

std::shared_ptr<const ppp::PppSettings> MakePppSettings(const config::v1::Config& config) {
  const config::v1::Ppp& from = config.ppp();
  auto settings = std::make_shared<ppp::PppSettings>();
  settings->mru = static_cast<uint16_t>(from.mru());
  settings->mtu = static_cast<uint16_t>(from.mtu());
  settings->restart_timer_ms = from.restart_timer_ms();
  settings->max_configure = from.max_configure();
  settings->max_terminate = from.max_terminate();
  settings->max_failure = from.max_failure();
  settings->echo_interval_s = static_cast<uint16_t>(from.echo_interval_s());
  settings->echo_failures = static_cast<uint8_t>(from.echo_failures());
  settings->setup_timeout_ms = from.setup_timeout_s() * 1000;
  settings->gateway_address = config::ParseIpv4(from.gateway_address()).value_or(0);
  settings->dns = Addresses(from.dns());
  settings->wins = Addresses(from.wins());
  settings->mppe = PolicyOf(from.mppe());
  settings->ipv6 = from.ipv6() == "allow";
  settings->mppe_stateful = from.mppe_stateful() == "allow";
  auto has = [&](uint32_t bits) {
    return std::find(from.mppe_bits().begin(), from.mppe_bits().end(), bits) !=
           from.mppe_bits().end();
  };
  settings->mppe_40 = has(40);
  settings->mppe_56 = has(56);
  settings->mppe_128 = has(128);
  for (const std::string& name : config.auth().methods()) {
    for (const MethodName& known : kMethods) {
      if (known.name == name) {
        settings->methods.push_back(known.method);
      }
    }
  }
  settings->server_name = config.auth().server_name();
  settings->auth_retries = config.auth().retries();
  return settings;
}

dataplane::v1::CallConfig MakeCallTemplate(const config::v1::Config& config) {
  constexpr uint64_t kMega = 1000000;
  const config::v1::Pptp& from = config.pptp();
  dataplane::v1::CallConfig to;
  to.set_receive_window(from.receive_window());
  to.set_ack_delay_ms(from.ack_delay_ms());
  to.mutable_reorder()->set_packets(from.reorder_packets());
  to.mutable_reorder()->set_delay_ms(from.reorder_delay_ms());
  to.mutable_outer()->set_dont_fragment(from.dont_fragment());
  to.mutable_outer()->set_copy_dscp(from.copy_dscp());
  to.mutable_outer()->set_dscp(from.dscp());
  to.set_idle_timeout_s(config.ppp().idle_timeout_s());
  to.set_octet_quota(config.ppp().octet_quota_mb() * kMega);
  return to;
}

std::vector<filters::NamedRules> MakeFilters(const config::v1::Config& config) {
  std::vector<filters::NamedRules> filters;
  for (const config::v1::Filter& from : config.filters()) {
    filters.push_back({.name = from.name(), .rules = {from.rules().begin(), from.rules().end()}});
  }
  return filters;
}

std::vector<CallRates> MakeListenerRates(const config::v1::Config& config) {
  constexpr uint64_t kKilo = 1000;
  std::vector<CallRates> rates;
  for (const std::string& listen : config.pptp().listen()) {
    const config::v1::Rate* found = nullptr;
    for (const config::v1::Rate& rate : config.pptp().rates()) {
      if (rate.listen() == listen || (rate.listen().empty() && found == nullptr)) {
        found = &rate;
      }
    }
    rates.emplace_back();
    if (found != nullptr) {
      rates.back() = {.upstream_bps = found->upstream_kbps() * kKilo,
                      .downstream_bps = found->downstream_kbps() * kKilo};
    }
  }
  return rates;
}

std::shared_ptr<const ShardSettings> MakeShardSettings(const config::v1::Config& config) {
  return std::make_shared<const ShardSettings>(ShardSettings{
      .control = MakeControlSettings(config),
      .ppp = MakePppSettings(config),
      .link = config.ppp().ipv6() == "allow" ? MakeLinkSettings(config, MachineName()) : nullptr,
      .call_template = MakeCallTemplate(config),
      .honour_peer_window = config.pptp().honour_peer_window(),
      .listener_rates = MakeListenerRates(config),
      .lcp_delay_ms = config.pptp().lcp_delay_ms(),
      .allowed_sources = MakeAllowedSources(config)});
}

std::vector<AddressPools::Pool> MakePools(const config::v1::Config& config) {
  std::vector<AddressPools::Pool> pools;
  for (const config::v1::Pool& from : config.pools()) {
    AddressPools::Pool& pool = pools.emplace_back();
    pool.name = from.name();
    pool.next = from.next();
    pool.named_only = from.named_only();
    for (const std::string& text : from.ranges()) {
      if (std::optional<config::Ipv4Range> range = config::ParseRange(text)) {
        pool.ranges.push_back(*range);
      }
    }
  }
  return pools;
}

std::vector<config::Endpoint> MakeEndpoints(const config::v1::Config& config) {
  std::vector<config::Endpoint> endpoints;
  for (const std::string& text : config.pptp().listen()) {
    if (std::optional<config::Endpoint> endpoint = config::ParseEndpoint(text)) {
      endpoints.push_back(*endpoint);
    }
  }
  return endpoints;
}

}  // namespace culvert
