#include "controlplane/hooks/hook_facts.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <array>

#include "controlplane/hooks/hook_runner.h"
#include "controlplane/logging/printable.h"
#include "proto/config/address/address.h"
#include "proto/config/address/address6.h"

namespace culvert {

namespace {

using config::FormatIpv4;

class Environment {
 public:
  void Add(const char* name, std::string_view value) {
    lines_.push_back(absl::StrCat(name, "=", std::string(value)));
  }
  void Add(const char* name, uint64_t value) { lines_.push_back(absl::StrCat(name, "=", value)); }
  std::vector<std::string> Take() { return std::move(lines_); }

 private:
  std::vector<std::string> lines_;
};

void AddServers(const char* first, const char* second, const std::vector<uint32_t>& servers,
                Environment& to) {
  const std::array<const char*, 2> names = {first, second};
  for (size_t i = 0; i < std::min(servers.size(), names.size()); ++i) {
    to.Add(names[i], FormatIpv4(servers[i]));
  }
}

void AddGrants(const CallGrants& grants, Environment& to) {
  if (!grants.filter_id.empty()) {
    to.Add("RADIUS_FILTER_ID", Printable(grants.filter_id));
  }
  if (!grants.address_lists.empty()) {
    to.Add("RADIUS_ADDRESS_LIST", Printable(grants.address_lists));
  }
  std::string routes;
  for (const config::Ipv4Prefix& prefix : grants.routes) {
    absl::StrAppend(&routes, routes.empty() ? "" : " ", config::FormatPrefix(prefix));
  }
  if (!routes.empty()) {
    to.Add("RADIUS_FRAMED_ROUTE", routes);
  }
  if (grants.session_timeout_s) {
    to.Add("SESSION_TIMEOUT", *grants.session_timeout_s);
  }
  if (grants.idle_timeout_s) {
    to.Add("IDLE_TIMEOUT", *grants.idle_timeout_s);
  }
}

void AddTotals(const HookTotals& totals, Environment& to) {
  to.Add("CONNECT_TIME", totals.connect_time_s);
  to.Add("BYTES_SENT", totals.octets_sent);
  to.Add("BYTES_RCVD", totals.octets_received);
  to.Add("PACKETS_SENT", totals.packets_sent);
  to.Add("PACKETS_RCVD", totals.packets_received);
  to.Add("CULVERT_END_CAUSE", totals.end_cause);
}

}  // namespace

std::vector<std::string> HookArguments(const HookPlace& place, const HookFacts& facts) {
  return {place.interface,
          "none",
          absl::StrCat(facts.downstream_bps),
          FormatIpv4(place.gateway),
          FormatIpv4(facts.client_address),
          FormatIpv4(facts.peer_address)};
}

std::vector<std::string> HookEnvironment(const HookPlace& place, const HookFacts& facts,
                                         const HookTotals* totals) {
  Environment to;
  to.Add("PATH", "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin");
  to.Add("DEVICE", "none");
  to.Add("IFNAME", place.interface);
  to.Add("IPLOCAL", FormatIpv4(place.gateway));
  to.Add("IPREMOTE", FormatIpv4(facts.client_address));
  to.Add("PEERNAME", Printable(facts.user));
  to.Add("REMOTENUMBER", FormatIpv4(facts.peer_address));
  const PeerNames none;
  const PeerNames& names = facts.names != nullptr ? *facts.names : none;
  to.Add("CALLING_SID",
         names.calling_number.empty() ? FormatIpv4(facts.peer_address) : names.calling_number);
  to.Add("CALLED_SID",
         names.called_number.empty() ? FormatIpv4(facts.local_address) : names.called_number);
  if (!names.host_name.empty()) {
    to.Add("CULVERT_PEER_HOST", names.host_name);
  }
  to.Add("SPEED", facts.downstream_bps);
  to.Add("ORIG_UID", "0");
  to.Add("PPPLOGNAME", "root");
  to.Add("LINKNAME", HookCallId(facts.call));
  AddServers("DNS1", "DNS2", facts.dns, to);
  AddServers("WINS1", "WINS2", facts.wins, to);
  if (facts.old_address != 0) {
    to.Add("OLDIPLOCAL", FormatIpv4(place.gateway));
    to.Add("OLDIPREMOTE", FormatIpv4(facts.old_address));
  }
  if (facts.prefix) {
    to.Add("IPV6_PREFIX", config::FormatPrefix6(*facts.prefix));
  }
  if (facts.delegated_prefix) {
    to.Add("IPV6_DELEGATED_PREFIX", config::FormatPrefix6(*facts.delegated_prefix));
  }
  AddGrants(facts.grants, to);
  to.Add("CULVERT_CALL_ID", HookCallId(facts.call));
  to.Add("CULVERT_UPSTREAM_BPS", facts.upstream_bps);
  to.Add("CULVERT_DOWNSTREAM_BPS", facts.downstream_bps);
  to.Add("CULVERT_MPPE_BITS", facts.mppe_bits);
  if (totals != nullptr) {
    AddTotals(*totals, to);
  }
  return to.Take();
}

}  // namespace culvert
