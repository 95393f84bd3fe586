#include "controlplane/shard/call/call_accounting.h"

#include <string>
#include <utility>

#include "controlplane/accounting/accounting.h"

namespace culvert {

using accounting::TerminateCause;
namespace v1 = accounting::v1;

namespace {

v1::Method MethodOf(AuthMethod method) {
  switch (method) {
    case AuthMethod::kPap:
      return v1::METHOD_PAP;
    case AuthMethod::kChapMd5:
      return v1::METHOD_CHAP;
    case AuthMethod::kMsChap:
      return v1::METHOD_MS_CHAP_1;
    case AuthMethod::kMsChapV2:
      return v1::METHOD_MS_CHAP_2;
    case AuthMethod::kEap:
      return v1::METHOD_EAP;
  }
  return v1::METHOD_NONE;
}

void SetPrefix(const config::Ipv6Prefix& from, v1::Ipv6Prefix* to) {
  to->set_address(from.address.data(), from.address.size());
  to->set_length(from.length);
}

}  // namespace

TerminateCause TerminateCauseOf(EndCause cause) {
  switch (cause) {
    case EndCause::kClientHangUp:
      return TerminateCause::kUserRequest;
    case EndCause::kControlConnection:
    case EndCause::kLostCarrier:
      return TerminateCause::kLostCarrier;
    case EndCause::kIdleTimeout:
      return TerminateCause::kIdleTimeout;
    case EndCause::kSessionTimeout:
      return TerminateCause::kSessionTimeout;
    case EndCause::kOctetQuota:
      return TerminateCause::kNasRequest;
    case EndCause::kTerminated:
      return TerminateCause::kAdminReset;
    case EndCause::kReplaced:
      return TerminateCause::kPortPreempted;
    case EndCause::kDataplane:
      return TerminateCause::kNasError;
    case EndCause::kShutdown:
      return TerminateCause::kAdminReboot;
    case EndCause::kAuthentication:
      return TerminateCause::kUserError;
    case EndCause::kEncryption:
      return TerminateCause::kNasRequest;
    case EndCause::kNetwork:
      return TerminateCause::kServiceUnavailable;
    case EndCause::kPpp:
      return TerminateCause::kPortError;
  }
  return TerminateCause::kNasError;
}

void CallAccounting::OnAccepted(AuthMethod method, const AuthResult& result) {
  if (accounting_ == nullptr) {
    return;
  }
  session_ = std::make_unique<v1::Session>();
  complete_ = false;
  session_->set_user(result.user);
  session_->set_method(MethodOf(method));
  session_->set_authentic(result.source == AuthSource::kRadius ? v1::AUTHENTIC_RADIUS
                                                               : v1::AUTHENTIC_LOCAL);
  session_->set_eap_type(result.eap_type);
  if (const auto& marks = result.grants.marks) {
    session_->set_chargeable_user_identity(marks->chargeable_identity);
    session_->set_ms_chap_domain(marks->ms_chap_domain);
  }
  if (result.lease.prefix) {
    SetPrefix(*result.lease.prefix, session_->add_prefixes());
  }
  if (result.lease.delegated_prefix) {
    SetPrefix(*result.lease.delegated_prefix, session_->add_delegated_prefixes());
  }
  Grant(result.grants);
}

void CallAccounting::Grant(const CallGrants& grants) {
  session_->clear_classes();
  for (const std::vector<uint8_t>& octets : grants.classes) {
    session_->add_classes(octets.data(), octets.size());
  }
  session_->set_filter_id(grants.filter_id);
  interim_interval_s_ = grants.interim_interval_s;
}

void CallAccounting::OnUp(const CallRecord& record) {
  if (session_ == nullptr) {
    return;
  }
  session_->set_id(FormatCallId(record.id));
  session_->set_peer_address(record.peer_address);
  session_->set_local_address(record.local_address);
  session_->set_client_address(record.client_address);
  session_->set_nas_port(record.nas_port());
  session_->set_call_id(record.call_id);
  if (record.names != nullptr) {
    session_->set_peer_host_name(record.names->host_name);
    session_->set_called_number(record.names->called_number);
    session_->set_calling_number(record.names->calling_number);
  }
  complete_ = true;
  if (std::exchange(up_, true)) {
    return accounting_->OnChanged(record.id, *session_, interim_interval_s_);
  }
  accounting_->OnUp(record.id, record.handle, *session_, interim_interval_s_);
}

void CallAccounting::OnIpv6(uint64_t id, uint64_t interface_id) {
  if (session_ == nullptr) {
    return;
  }
  std::string octets;
  for (int shift = 56; interface_id != 0 && shift >= 0; shift -= 8) {
    octets.push_back(static_cast<char>(interface_id >> shift));
  }
  session_->set_interface_id(octets);
  if (complete_) {
    accounting_->OnChanged(id, *session_, interim_interval_s_);
  }
}

void CallAccounting::OnTermsChanged(uint64_t id, const CallGrants& grants) {
  if (session_ == nullptr) {
    return;
  }
  Grant(grants);
  if (complete_) {
    accounting_->OnChanged(id, *session_, interim_interval_s_);
  }
}

void CallAccounting::OnEnded(uint64_t id, EndCause cause,
                             const dataplane::v1::CallCounters& totals) {
  if (!up_) {
    return;
  }
  accounting_->OnEnded(id,
                       {.input_octets = totals.upstream_octets(),
                        .input_packets = totals.upstream_packets(),
                        .output_octets = totals.downstream_octets(),
                        .output_packets = totals.downstream_packets()},
                       TerminateCauseOf(cause));
}

}  // namespace culvert
