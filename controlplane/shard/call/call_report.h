// CallReport tells the outside of a call's events: one log line each, the call directory and the
// metrics. Of the call's shard.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "controlplane/logging/log_limit.h"
#include "controlplane/management/call_record.h"
#include "controlplane/shard/call/call_accounting.h"
#include "controlplane/shard/call/call_identity.h"
#include "controlplane/shard/call/end_cause.h"
#include "controlplane/shard/services.h"
#include "culvert/dataplane/v1/dataplane.pb.h"

namespace culvert {

class CallReport {
 public:
  // `services` outlives the report.
  CallReport(const Services* services, const CallIdentity& identity);

  void OnStarted(uint64_t handle);
  void OnRefused(std::string_view metric, std::string_view reason);
  // OnAuthResult: AAA has answered; OnAuthenticated: the client was told so.
  void OnAuthResult(AuthMethod method, const AuthResult& result);
  void OnAuthenticated(AuthMethod method, const std::string& user);
  void OnUp(uint32_t client_address, uint16_t mppe_bits);
  // OnIpv6: IPV6CP has opened, or ended (`interface_id` 0). OnIpv6Delegated: the client has, or has
  // no longer, a prefix by DHCPv6.
  void OnIpv6(uint64_t interface_id, const std::optional<config::Ipv6Prefix>& prefix);
  void OnIpv6Delegated(const std::optional<config::Ipv6Prefix>& prefix);
  // OnRoutesLeftOut: the call was given `num` routes more than it has place for; none: says
  // nothing.
  void OnRoutesLeftOut(size_t num);
  void OnChanged(ppp::Phase phase, uint16_t mppe_bits);
  // OnTermsChanged: by an operator or a RADIUS server; the data plane has confirmed it.
  void OnTermsChanged(const CallGrants& grants);
  // OnEnded: `totals` are the data plane's last word; of a call that was started.
  void OnEnded(EndCause cause, std::string_view reason, const dataplane::v1::CallCounters& totals);

  // Statistics is the text of a Call-Disconnect-Notify, as of the last counter round.
  [[nodiscard]] std::string Statistics() const;
  [[nodiscard]] uint64_t id() const { return record_.id; }
  [[nodiscard]] const std::string& user() const { return record_.user; }

 private:
  [[nodiscard]] std::string Name() const;  // user, peer, call id, for log lines

  const Services* services_;
  CallRecord record_;
  CallAccounting accounting_;
  uint64_t requested_ms_;  // steady
  bool up_ = false;
};

}  // namespace culvert
