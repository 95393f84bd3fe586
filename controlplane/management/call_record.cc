#include "controlplane/management/call_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "controlplane/ipv6/link_packet.h"
#include "controlplane/logging/printable.h"
#include "proto/config/address/address.h"

namespace culvert {

std::string FormatCallId(uint64_t id) { return fmt::format("{:016x}", id); }

std::optional<uint64_t> ParseCallId(std::string_view text) {
  uint64_t id = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, id, 16);
  if (text.size() != 16 || error != std::errc() || end != last || text[0] == '-') {
    return std::nullopt;
  }
  return id;
}

const char* PhaseName(ppp::Phase phase) {
  switch (phase) {
    case ppp::Phase::kDead:  // no LCP yet
    case ppp::Phase::kEstablish:
      return "establish";
    case ppp::Phase::kAuthenticate:
      return "authenticate";
    case ppp::Phase::kNetwork:
      return "network";
    case ppp::Phase::kOpen:
      return "open";
    case ppp::Phase::kTerminate:
      return "terminate";
  }
  return "";
}

const char* AuthMethodName(AuthMethod method) {
  switch (method) {
    case AuthMethod::kPap:
      return "pap";
    case AuthMethod::kChapMd5:
      return "chap-md5";
    case AuthMethod::kMsChap:
      return "mschap";
    case AuthMethod::kMsChapV2:
      return "mschap-v2";
    case AuthMethod::kEap:
      return "eap";
  }
  return "";
}

management::v1::Call ToProto(const CallRecord& record, const CallTraffic& traffic, int64_t now_ms) {
  management::v1::Call call;
  call.set_id(FormatCallId(record.id));
  call.set_state(PhaseName(record.phase));
  call.set_user(Printable(record.user));
  call.set_peer_address(config::FormatIpv4(record.peer_address));
  call.set_local_address(config::FormatIpv4(record.local_address));
  if (record.client_address != 0) {
    call.set_client_address(config::FormatIpv4(record.client_address));
  }
  call.set_call_id(record.call_id);
  call.set_peer_call_id(record.peer_call_id);
  if (record.auth) call.set_auth(AuthMethodName(*record.auth));
  call.set_mppe(record.mppe_bits == 0 ? "none" : std::to_string(record.mppe_bits));
  call.mutable_started()->set_seconds(record.started_ms / 1000);
  call.mutable_started()->set_nanos(static_cast<int32_t>(record.started_ms % 1000) * 1'000'000);
  // The clock may have been set back since.
  const int64_t uptime_ms = std::max<int64_t>(0, now_ms - record.started_ms);
  call.mutable_uptime()->set_seconds(uptime_ms / 1000);
  call.mutable_uptime()->set_nanos(static_cast<int32_t>(uptime_ms % 1000) * 1'000'000);
  call.set_upstream_packets(traffic.upstream_packets);
  call.set_upstream_octets(traffic.upstream_octets);
  call.set_downstream_packets(traffic.downstream_packets);
  call.set_downstream_octets(traffic.downstream_octets);
  call.set_upstream_bps(traffic.upstream_bps);
  call.set_downstream_bps(traffic.downstream_bps);
  call.set_drops(traffic.drops);
  call.set_end_reason(Printable(record.end_reason));
  if (record.ipv6_interface_id != 0) {
    call.set_ipv6_link_local(config::FormatIpv6(ipv6::LinkLocal(record.ipv6_interface_id)));
  }
  if (record.ipv6_prefix) call.set_ipv6_prefix(config::FormatPrefix6(*record.ipv6_prefix));
  if (record.ipv6_delegated_prefix) {
    call.set_ipv6_delegated_prefix(config::FormatPrefix6(*record.ipv6_delegated_prefix));
  }
  if (record.filter != nullptr) call.set_filter(record.filter->name);
  return call;
}

}  // namespace culvert
