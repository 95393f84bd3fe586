#include "controlplane/shard/call/call_report.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>

#include "controlplane/logging/printable.h"
#include "controlplane/shard/alarm.h"
#include "controlplane/shard/call/call_terms.h"
#include "controlplane/shard/random.h"
#include "proto/config/address/address.h"

namespace culvert {

using config::FormatIpv4;
using management::v1::CallEvent;

namespace {

// Call events come at the pace of the clients: a thousand lines a second is plenty.
LogLimit& CallLogLimit() {
  static LogLimit limit(std::chrono::milliseconds(1), 2000);
  return limit;
}

// MayLog: false: the line is not wanted, or there were too many. Asked before a line is put
// together, which costs more than what it tells of.
bool MayLog(spdlog::level::level_enum level) {
  if (!spdlog::should_log(level)) {
    return false;
  }
  std::optional<uint64_t> left_out = CallLogLimit().Admit();
  if (left_out && *left_out != 0) {
    static LogLimit told(std::chrono::seconds(1));
    static std::atomic<uint64_t> untold{0};
    untold += *left_out;
    if (told.Admit()) {
      spdlog::warn("{} lines about calls were left out", untold.exchange(0));
    }
  }
  return left_out.has_value();
}

int64_t WallMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

std::string_view EndCauseName(EndCause cause) {
  switch (cause) {
    case EndCause::kClientHangUp:
      return "client-hang-up";
    case EndCause::kControlConnection:
      return "control-connection";
    case EndCause::kAuthentication:
      return "authentication";
    case EndCause::kEncryption:
      return "encryption";
    case EndCause::kNetwork:
      return "network";
    case EndCause::kPpp:
      return "ppp";
    case EndCause::kLostCarrier:
      return "lost-carrier";
    case EndCause::kIdleTimeout:
      return "idle-timeout";
    case EndCause::kSessionTimeout:
      return "session-timeout";
    case EndCause::kOctetQuota:
      return "octet-quota";
    case EndCause::kTerminated:
      return "terminated";
    case EndCause::kReplaced:
      return "replaced";
    case EndCause::kDataplane:
      return "data-plane";
    case EndCause::kShutdown:
      return "shutdown";
  }
  return "other";
}

EndCause EndCauseOf(ppp::EndKind kind) {
  switch (kind) {
    case ppp::EndKind::kPeerHungUp:
      return EndCause::kClientHangUp;
    case ppp::EndKind::kPeerSilent:
      return EndCause::kLostCarrier;
    case ppp::EndKind::kAuthentication:
      return EndCause::kAuthentication;
    case ppp::EndKind::kEncryption:
      return EndCause::kEncryption;
    case ppp::EndKind::kNetwork:
      return EndCause::kNetwork;
    case ppp::EndKind::kAsked:
    case ppp::EndKind::kProtocol:
      return EndCause::kPpp;
  }
  return EndCause::kPpp;
}

CallReport::CallReport(const Services* services, const CallIdentity& identity)
    : services_(services), accounting_(services->accounting), requested_ms_(SteadyMs()) {
  while (record_.id == 0) {
    record_.id = MakeCallId(Random64(), identity.call_id);
  }
  record_.peer_address = identity.peer_address;
  record_.local_address = identity.local_address;
  record_.call_id = identity.call_id;
  record_.peer_call_id = identity.peer_call_id;
  record_.names = identity.names;
  record_.started_ms = WallMs();
}

std::string CallReport::Name() const {
  return absl::StrFormat(
      "user=%s peer=%s call=%d id=%s", record_.user.empty() ? "-" : Printable(record_.user),
      FormatIpv4(record_.peer_address), record_.call_id, FormatCallId(record_.id));
}

void CallReport::OnStarted(uint64_t handle) {
  record_.handle = handle;
  if (MayLog(spdlog::level::info)) {
    spdlog::info("call started: {} local={} peer_call={}", Name(),
                 FormatIpv4(record_.local_address), record_.peer_call_id);
  }
  services_->metrics->OnCallStarted();
  services_->directory->Publish(CallEvent::STARTED, record_);
}

void CallReport::OnRefused(std::string_view metric, std::string_view reason) {
  if (MayLog(spdlog::level::warn)) {
    spdlog::warn("call refused: {} reason=\"{}\"", Name(), Printable(reason));
  }
  services_->metrics->OnCallRefused(metric);
}

void CallReport::OnAuthResult(AuthMethod method, const AuthResult& result) {
  if (result.verdict == AuthVerdict::kAccept) {
    accounting_.OnAccepted(method, result);
    record_.marks = result.grants.marks;
    record_.filter = result.grants.filter;
  }
  services_->metrics->OnAuthentication(method, result.verdict);
  if (result.verdict == AuthVerdict::kReject) {
    record_.user = result.user;
    if (MayLog(spdlog::level::warn)) {
      spdlog::warn("authentication failed: {} method={} reason=\"{}\"", Name(),
                   AuthMethodName(method), Printable(result.reject_reason));
    }
  }
}

void CallReport::OnAuthenticated(AuthMethod method, const std::string& user) {
  record_.user = user;
  record_.auth = method;
  if (MayLog(spdlog::level::info)) {
    spdlog::info("call authenticated: {} method={}", Name(), AuthMethodName(method));
  }
  services_->directory->Publish(CallEvent::AUTHENTICATED, record_);
}

void CallReport::OnUp(uint32_t client_address, uint16_t mppe_bits) {
  record_.client_address = client_address;
  record_.mppe_bits = mppe_bits;
  record_.phase = ppp::Phase::kOpen;
  double setup_s = static_cast<double>(SteadyMs() - requested_ms_) / 1000;
  if (MayLog(spdlog::level::info)) {
    spdlog::info("call up: {} address={} mppe={} setup={:.2f}s", Name(), FormatIpv4(client_address),
                 mppe_bits == 0 ? "none" : std::to_string(mppe_bits), setup_s);
  }
  if (!up_) {
    services_->metrics->OnCallUp(setup_s);
  }
  up_ = true;
  services_->directory->Publish(CallEvent::UP, record_);
  accounting_.OnUp(record_);
}

void CallReport::OnIpv6(uint64_t interface_id, const std::optional<config::Ipv6Prefix>& prefix) {
  record_.ipv6_interface_id = interface_id;
  record_.ipv6_prefix = prefix;
  record_.ipv6_delegated_prefix.reset();
  accounting_.OnIpv6(record_.id, interface_id);
  if (interface_id != 0) {
    if (MayLog(spdlog::level::info)) {
      spdlog::info("call has IPv6: {} link_local={} prefix={}", Name(),
                   config::FormatIpv6(ipv6::LinkLocal(interface_id)),
                   prefix ? config::FormatPrefix6(*prefix) : "none");
    }
  }
  services_->directory->Update(record_);
}

void CallReport::OnIpv6Delegated(const std::optional<config::Ipv6Prefix>& prefix) {
  record_.ipv6_delegated_prefix = prefix;
  if (MayLog(spdlog::level::info)) {
    spdlog::info("call has IPv6: {} delegated={}", Name(),
                 prefix ? config::FormatPrefix6(*prefix) : "none");
  }
  services_->directory->Update(record_);
}

void CallReport::OnRoutesLeftOut(size_t num) {
  if (num != 0 && MayLog(spdlog::level::warn)) {
    spdlog::warn("{} routes of a call were left out, it has place for {}: {}", num, kMaxRoutes,
                 Name());
  }
}

void CallReport::OnChanged(ppp::Phase phase, uint16_t mppe_bits) {
  record_.phase = phase;
  record_.mppe_bits = mppe_bits;
  services_->directory->Update(record_);
}

void CallReport::OnTermsChanged(const CallGrants& grants) {
  accounting_.OnTermsChanged(record_.id, grants);
  if (record_.filter != grants.filter) {
    record_.filter = grants.filter;
    services_->directory->Update(record_);
  }
  const auto text = [](const auto& value) { return value ? absl::StrCat(*value) : "-"; };
  if (MayLog(spdlog::level::info)) {
    spdlog::info(
        "call changed: {} up={} down={} session_timeout={} idle_timeout={} quota={} interim={} "
        "filter=\"{}\"",
        Name(), text(grants.upstream_bps), text(grants.downstream_bps),
        text(grants.session_timeout_s), text(grants.idle_timeout_s), text(grants.octet_quota),
        text(grants.interim_interval_s),
        grants.filter != nullptr ? grants.filter->name : Printable(grants.filter_id));
  }
}

void CallReport::OnEnded(EndCause cause, std::string_view reason,
                         const dataplane::v1::CallCounters& totals) {
  record_.end_reason = Printable(reason);
  if (MayLog(spdlog::level::info)) {
    spdlog::info(
        "call ended: {} reason=\"{}\" duration={}s up={}/{} down={}/{} drops={} "
        "(packets/octets)",
        Name(), record_.end_reason, (SteadyMs() - requested_ms_) / 1000, totals.upstream_packets(),
        totals.upstream_octets(), totals.downstream_packets(), totals.downstream_octets(),
        totals.upstream_drops() + totals.downstream_drops());
  }
  accounting_.OnEnded(record_.id, cause, totals);
  services_->metrics->OnCallEnded(EndCauseName(cause));
  services_->directory->Publish(CallEvent::DOWN, record_);
}

std::string CallReport::Statistics() const {
  std::optional<management::v1::Call> call = services_->directory->Get(record_.id);
  return absl::StrFormat("%ds rx %d pkts %d octets tx %d pkts %d octets",
                         (SteadyMs() - requested_ms_) / 1000, call ? call->upstream_packets() : 0,
                         call ? call->upstream_octets() : 0, call ? call->downstream_packets() : 0,
                         call ? call->downstream_octets() : 0);
}

}  // namespace culvert
