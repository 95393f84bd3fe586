#include "controlplane/accounting/delivery/radius_transport.h"

#include <absl/strings/str_cat.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "controlplane/accounting/record.h"
#include "controlplane/management/call_record.h"

namespace culvert::accounting {

namespace attr = radius::attr;
using radius::AttributeId;
using radius::AttributeList;

namespace {

radius::Octets OctetsOf(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

void AddCounter(AttributeId low, AttributeId high, uint64_t octets, AttributeList& list) {
  list.AddInteger(low, static_cast<uint32_t>(octets));
  list.AddInteger(high, static_cast<uint32_t>(octets >> 32));
}

void AddTraffic(const v1::Record& record, AttributeList& list) {
  const v1::Traffic& traffic = record.traffic();
  list.AddInteger(attr::kAcctSessionTime, record.session_time_s());
  AddCounter(attr::kAcctInputOctets, attr::kAcctInputGigawords, traffic.input_octets(), list);
  AddCounter(attr::kAcctOutputOctets, attr::kAcctOutputGigawords, traffic.output_octets(), list);
  // These have no high half (RFC 2869 s5.1, s5.2 are for octets alone).
  list.AddInteger(attr::kAcctInputPackets, static_cast<uint32_t>(traffic.input_packets()));
  list.AddInteger(attr::kAcctOutputPackets, static_cast<uint32_t>(traffic.output_packets()));
}

void AddPrefix(AttributeId id, const v1::Ipv6Prefix& prefix, AttributeList& list) {
  std::array<uint8_t, 16> address{};
  std::copy_n(prefix.address().begin(), std::min(prefix.address().size(), address.size()),
              address.begin());
  list.AddIpv6Prefix(id, address, static_cast<uint8_t>(std::min<uint32_t>(prefix.length(), 128)));
}

void AddIpv6(const v1::Session& session, AttributeList& list) {
  if (session.interface_id().size() == 8) {
    list.Add(attr::kFramedInterfaceId, OctetsOf(session.interface_id()));
  }
  for (const v1::Ipv6Prefix& prefix : session.prefixes()) {
    AddPrefix(attr::kFramedIpv6Prefix, prefix, list);
  }
  for (const v1::Ipv6Prefix& prefix : session.delegated_prefixes()) {
    AddPrefix(attr::kDelegatedIpv6Prefix, prefix, list);
  }
}

void AddMarks(const v1::Session& session, AttributeList& list) {
  if (session.eap_type() != 0) {
    list.AddInteger(attr::kMsAcctEapType, session.eap_type());
  }
  if (!session.chargeable_user_identity().empty()) {
    list.Add(attr::kChargeableUserIdentity, OctetsOf(session.chargeable_user_identity()));
  }
  if (!session.ms_chap_domain().empty()) {
    list.Add(attr::kMsChapDomain, OctetsOf(session.ms_chap_domain()));
  }
}

// AddClasses gives the number of those that have no room. An Access-Accept may have more of them
// than fit beside what a record says, and without it the call would have no record at all.
size_t AddClasses(const v1::Session& session, AttributeList& list) {
  constexpr size_t kFrontLen = 2;
  size_t left_out = 0;
  for (const std::string& octets : session.classes()) {
    if (radius::kHeaderLen + list.octets().size() + kFrontLen + octets.size() >
        radius::kMaxPacketLen) {
      ++left_out;
    } else {
      list.Add(attr::kClass, OctetsOf(octets));
    }
  }
  return left_out;
}

void AddCall(const v1::Session& session, const radius::NasIdentity& nas, AttributeList& list) {
  if (!session.user().empty()) {
    // PAP and CHAP allow longer names than RADIUS; the record must not be lost for that.
    list.AddText(attr::kUserName, std::string_view(session.user()).substr(0, radius::kMaxValueLen));
  }
  auto names = std::make_shared<PeerNames>();
  names->host_name = session.peer_host_name();
  names->called_number = session.called_number();
  names->calling_number = session.calling_number();
  radius::AddSession(nas,
                     {.id = ParseCallId(session.id()).value_or(0),
                      .nas_port = session.nas_port(),
                      .peer_address = session.peer_address(),
                      .local_address = session.local_address(),
                      .names = std::move(names)},
                     list);
  list.AddText(attr::kAcctMultiSessionId, session.id());
  list.AddInteger(attr::kAcctLinkCount, 1);
  list.AddText(attr::kAcctTunnelConnection, absl::StrCat(session.call_id()));
  if (session.client_address() != 0) {
    list.AddInteger(attr::kFramedIpAddress, session.client_address());
  }
  AddIpv6(session, list);
  if (!session.filter_id().empty()) {
    list.AddText(attr::kFilterId,
                 std::string_view(session.filter_id()).substr(0, radius::kMaxValueLen));
  }
  if (session.authentic() != v1::AUTHENTIC_NONE) {
    list.AddInteger(attr::kAcctAuthentic, static_cast<uint32_t>(session.authentic()));
  }
  if (session.method() != v1::METHOD_NONE) {
    list.AddInteger(attr::kMsAcctAuthType, static_cast<uint32_t>(session.method()));
  }
  AddMarks(session, list);
}

}  // namespace

AttributeList AccountingAttributes(const v1::Record& record, const radius::NasIdentity& nas,
                                   uint32_t delay_s, size_t* classes_left_out) {
  AttributeList list;
  list.AddInteger(attr::kAcctStatusType, static_cast<uint32_t>(record.kind()));
  radius::AddNas(nas, list);
  if (record.kind() == v1::KIND_ON || record.kind() == v1::KIND_OFF) {
    list.AddText(attr::kAcctSessionId, record.session().id());
  } else {
    AddCall(record.session(), nas, list);
  }
  if (record.kind() == v1::KIND_INTERIM || record.kind() == v1::KIND_STOP) {
    AddTraffic(record, list);
  }
  if (record.terminate_cause() != 0) {
    list.AddInteger(attr::kAcctTerminateCause, record.terminate_cause());
  }
  list.AddInteger(attr::kEventTimestamp, record.time_s());
  list.AddInteger(attr::kAcctDelayTime, delay_s);
  const size_t left_out = AddClasses(record.session(), list);
  if (classes_left_out != nullptr) {
    *classes_left_out = left_out;
  }
  return list;
}

void RadiusTransport::Send(const v1::Record& record, uint32_t delay_s,
                           std::function<void(bool acknowledged)> done) {
  size_t classes_left_out = 0;
  radius::Request request{
      .code = radius::Code::kAccountingRequest,
      .attributes = AccountingAttributes(record, nas_, delay_s, &classes_left_out)};
  if (classes_left_out != 0 && class_limit_.Admit()) {
    spdlog::warn("accounting: {} Class attributes of session {} do not fit into its record ({})",
                 classes_left_out, record.session().id(), KindName(record.kind()));
  }
  sender_->Send(
      radius::Service::kAccounting, std::move(request),
      [this, kind = record.kind(), done = std::move(done)](const radius::Answer& answer) {
        const bool is_acknowledged = answer.outcome == radius::Outcome::kAnswered;
        if (!is_acknowledged && answer.outcome != radius::Outcome::kStopped && log_limit_.Admit()) {
          spdlog::warn("accounting: a record ({}) stays in the spool: {}", KindName(kind),
                       std::string(radius::OutcomeText(answer.outcome)));
        }
        done(is_acknowledged);
      });
}

}  // namespace culvert::accounting
