// The calls of a control connection: RFC 2637 s3.2.2 (we are the PAC of an outgoing call, that is
// a VPN client's) and s3.2.4 (we are the PNS of an incoming call, that is a dial-in PAC's).
#include <algorithm>

#include "controlplane/pptp/control_connection.h"

namespace culvert::pptp {

namespace wp = wire::pptp;

namespace {
constexpr uint32_t kConnectSpeedBps = 100'000'000;
constexpr uint8_t kResultOk = 1;
constexpr uint8_t kResultError = 2;
// Outgoing-Call-Reply (s2.8) and Incoming-Call-Reply (s2.10).
constexpr uint8_t kOutgoingBusy = 4;
constexpr uint8_t kOutgoingNotAccepted = 7;
constexpr uint8_t kIncomingNotAccepted = 3;

struct ReplyCodes {
  uint8_t result;
  uint8_t error = 0;
};

ReplyCodes CodesOf(Refusal refusal, bool incoming) {
  switch (refusal) {
    case Refusal::kNoResource:
      return {kResultError, static_cast<uint8_t>(wp::ErrorCode::kNoResource)};
    case Refusal::kBadCallId:
      return {kResultError, static_cast<uint8_t>(wp::ErrorCode::kBadCallId)};
    case Refusal::kBusy:
      return {incoming ? kIncomingNotAccepted : kOutgoingBusy};
    case Refusal::kNotAccepted:
      break;
  }
  return {incoming ? kIncomingNotAccepted : kOutgoingNotAccepted};
}

// NumberOf takes what the length field leaves of a number (s2.9), up to the first NUL.
std::string NumberOf(const wp::Name& field, uint16_t len) {
  return std::string(wp::FromName(field).substr(0, len));
}

}  // namespace

void ControlConnection::OnCallMessage(const wp::Message& message, uint64_t now_ms) {
  if (const auto* request = std::get_if<wp::OutgoingCallRequest>(&message)) {
    OnOutgoingCallRequest(*request);
  } else if (const auto* incoming = std::get_if<wp::IncomingCallRequest>(&message)) {
    OnIncomingCallRequest(*incoming);
  } else if (const auto* connected = std::get_if<wp::IncomingCallConnected>(&message)) {
    OnIncomingCallConnected(*connected);
  } else if (const auto* clear = std::get_if<wp::CallClearRequest>(&message)) {
    OnCallClearRequest(*clear);
  } else if (const auto* notify = std::get_if<wp::CallDisconnectNotify>(&message)) {
    OnCallDisconnectNotify(*notify, now_ms);
  } else if (const auto* errors = std::get_if<wp::WanErrorNotify>(&message)) {
    OnWanErrorNotify(*errors);
  } else if (const auto* info = std::get_if<wp::SetLinkInfo>(&message)) {
    OnSetLinkInfo(*info);
  } else {
    ++counters_->unexpected_messages;
  }
}

std::optional<uint16_t> ControlConnection::Admit(uint16_t peer_call_id, bool incoming) {
  const CallState* twin = calls_.FindByPeers(peer_call_id);
  const bool full = calls_.size() >= settings_->max_calls;
  tl::expected<uint16_t, Refusal> call_id =
      tl::unexpected(twin != nullptr ? Refusal::kBadCallId : Refusal::kNoResource);
  if (incoming && !settings_->incoming_calls) {
    call_id = tl::unexpected(Refusal::kNotAccepted);
  } else if (twin == nullptr && !full) {
    call_id = gate_->AllocateCallId();
  }
  if (!call_id) {
    ++counters_->refused_calls;
    SendRefusal(peer_call_id, incoming, call_id.error());
    return std::nullopt;
  }
  calls_.Erase(*call_id);  // one that we cleared may still wait for the peer's word
  calls_.Add({.call_id = *call_id,
              .peer_call_id = peer_call_id,
              .step = CallState::Step::kPending,
              .incoming = incoming,
              .link_info = {}});
  return *call_id;
}

void ControlConnection::OnOutgoingCallRequest(const wp::OutgoingCallRequest& request) {
  // Odd speeds, bearers, framings and numbers are seen in the field and mean nothing here.
  if (std::optional<uint16_t> call_id = Admit(request.call_id, /*incoming=*/false)) {
    effects_.emplace_back(CallRequested{.call_id = *call_id,
                                        .peer_call_id = request.call_id,
                                        .peer_receive_window = request.receive_window,
                                        .incoming = false,
                                        .called_number = {},
                                        .calling_number = {}});
  }
}

void ControlConnection::OnIncomingCallRequest(const wp::IncomingCallRequest& request) {
  if (std::optional<uint16_t> call_id = Admit(request.call_id, /*incoming=*/true)) {
    effects_.emplace_back(CallRequested{
        .call_id = *call_id,
        .peer_call_id = request.call_id,
        .peer_receive_window = 0,
        .incoming = true,
        .called_number = NumberOf(request.dialed_number, request.dialed_number_len),
        .calling_number = NumberOf(request.dialing_number, request.dialing_number_len)});
  }
}

void ControlConnection::OnIncomingCallConnected(const wp::IncomingCallConnected& connected) {
  CallState* call = calls_.FindByOurs(connected.peer_call_id);
  if (call == nullptr) {
    ++counters_->unknown_call_ids;
    return;
  }
  if (call->step != CallState::Step::kWaitConnect) {
    ++counters_->unexpected_messages;
    return;
  }
  call->step = CallState::Step::kConnected;
  effects_.emplace_back(
      CallConnected{.call_id = call->call_id, .peer_receive_window = connected.receive_window});
}

bool ControlConnection::AcceptCall(uint16_t call_id, uint64_t now_ms) {
  CallState* call = calls_.FindByOurs(call_id);
  if (call == nullptr || call->step != CallState::Step::kPending) {
    return false;
  }
  const uint16_t peer_call_id = call->peer_call_id;
  if (call->incoming) {
    call->step = CallState::Step::kWaitConnect;
    call->deadline_ms = now_ms + settings_->call_timeout_ms;
    SendIncomingReply(call_id, peer_call_id, kResultOk, 0);
  } else {
    call->step = CallState::Step::kConnected;
    SendOutgoingReply(call_id, peer_call_id, kResultOk, 0);
  }
  return alive();
}

void ControlConnection::RefuseCall(uint16_t call_id, Refusal refusal, uint64_t now_ms) {
  const CallState* found = calls_.FindByOurs(call_id);
  if (found == nullptr ||
      (found->step != CallState::Step::kPending && found->step != CallState::Step::kClearing)) {
    return;
  }
  const CallState call = *found;
  ++counters_->refused_calls;
  Forget(call_id, settings_->idle_timeout_ms, now_ms);
  SendRefusal(call.peer_call_id, call.incoming, refusal);
}

void ControlConnection::DisconnectCall(uint16_t call_id, DisconnectResult result,
                                       std::string_view statistics, uint64_t now_ms) {
  CallState* call = calls_.FindByOurs(call_id);
  if (call == nullptr || call->step == CallState::Step::kWaitDisconnect) {
    return;
  }
  if (call->incoming) {
    if (call->step == CallState::Step::kPending) {
      return RefuseCall(call_id, Refusal::kNotAccepted, now_ms);
    }
    call->step = CallState::Step::kWaitDisconnect;
    call->deadline_ms = now_ms + settings_->call_timeout_ms;
    return Send(wp::CallClearRequest{.call_id = call_id});
  }
  // After a call that we ended the client is given stop_timeout_ms to dial again or go.
  bool requested = result == DisconnectResult::kRequest;
  Forget(call_id, requested ? settings_->idle_timeout_ms : settings_->stop_timeout_ms, now_ms);
  wp::CallDisconnectNotify notify;
  notify.call_id = call_id;
  notify.result = static_cast<uint8_t>(result);
  if (result == DisconnectResult::kError) {
    notify.error = static_cast<uint8_t>(wp::ErrorCode::kPacError);
  }
  std::copy_n(statistics.begin(), std::min(statistics.size(), notify.statistics.size()),
              notify.statistics.begin());
  Send(notify);
}

void ControlConnection::OnCallClearRequest(const wp::CallClearRequest& request) {
  CallState* call = calls_.FindLoosely(request.call_id);
  if (call == nullptr) {
    ++counters_->unknown_call_ids;
    return;
  }
  if (call->incoming) {  // only a PNS sends it, and that are we
    ++counters_->unexpected_messages;
    return;
  }
  if (call->step != CallState::Step::kClearing) {
    call->step = CallState::Step::kClearing;
    effects_.emplace_back(CallClearRequested{.call_id = call->call_id});
  }
}

void ControlConnection::OnCallDisconnectNotify(const wp::CallDisconnectNotify& notify,
                                               uint64_t now_ms) {
  // DEVIATION: only a PAC sends this (s2.13), but some clients do; they mean Call-Clear-Request.
  const CallState* found = calls_.FindLoosely(notify.call_id);
  if (found == nullptr) {
    ++counters_->unknown_call_ids;
    return;
  }
  const CallState call = *found;
  Forget(call.call_id, settings_->idle_timeout_ms, now_ms);
  if (call.step != CallState::Step::kWaitDisconnect) {
    effects_.emplace_back(
        CallLost{.call_id = call.call_id, .reason = "client disconnected the call"});
  }
}

void ControlConnection::OnWanErrorNotify(const wp::WanErrorNotify& notify) {
  CallState* call = calls_.FindByOurs(notify.peer_call_id);
  if (call == nullptr) {
    ++counters_->unknown_call_ids;
    return;
  }
  if (!call->incoming) {  // a VPN client has no line
    ++counters_->unexpected_messages;
    return;
  }
  // Totals since the start of the call (s2.14).
  const uint32_t total = notify.crc_errors + notify.framing_errors + notify.hardware_overruns +
                         notify.buffer_overruns + notify.timeout_errors + notify.alignment_errors;
  counters_->wan_errors += total > call->wan_errors ? total - call->wan_errors : 0;
  call->wan_errors = total;
}

void ControlConnection::OnSetLinkInfo(const wp::SetLinkInfo& info) {
  CallState* call = calls_.FindByOurs(info.peer_call_id);
  if (call == nullptr) {
    ++counters_->unknown_call_ids;
    return;
  }
  call->link_info = info;
}

void ControlConnection::SendRefusal(uint16_t peer_call_id, bool incoming, Refusal refusal) {
  const ReplyCodes codes = CodesOf(refusal, incoming);
  if (incoming) {
    SendIncomingReply(0, peer_call_id, codes.result, codes.error);
  } else {
    SendOutgoingReply(0, peer_call_id, codes.result, codes.error);
  }
}

void ControlConnection::SendOutgoingReply(uint16_t call_id, uint16_t peer_call_id, uint8_t result,
                                          uint8_t error) {
  wp::OutgoingCallReply reply;
  reply.call_id = call_id;
  reply.peer_call_id = peer_call_id;
  reply.result = result;
  reply.error = error;
  reply.connect_speed_bps = kConnectSpeedBps;
  reply.receive_window = settings_->receive_window;
  Send(reply);
}

void ControlConnection::SendIncomingReply(uint16_t call_id, uint16_t peer_call_id, uint8_t result,
                                          uint8_t error) {
  wp::IncomingCallReply reply;
  reply.call_id = call_id;
  reply.peer_call_id = peer_call_id;
  reply.result = result;
  reply.error = error;
  reply.receive_window = settings_->receive_window;
  Send(reply);
}

void ControlConnection::Forget(uint16_t call_id, uint64_t idle_ms, uint64_t now_ms) {
  calls_.Erase(call_id);
  idle_deadline_ms_ = now_ms + idle_ms;
}

}  // namespace culvert::pptp
