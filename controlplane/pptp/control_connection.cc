#include "controlplane/pptp/control_connection.h"

#include <algorithm>

namespace culvert::pptp {

namespace wp = wire::pptp;

namespace {
constexpr uint32_t kFramingEither = 3;
constexpr uint32_t kBearerAny = 3;
constexpr uint32_t kConnectSpeedBps = 100'000'000;
constexpr uint8_t kResultOk = 1;
constexpr uint8_t kResultError = 2;
// Start-Control-Connection-Reply (s2.2).
constexpr uint8_t kStartExists = 3;
constexpr uint8_t kStartVersion = 5;
// Outgoing-Call-Reply (s2.8) and Incoming-Call-Reply (s2.10): do not accept.
constexpr uint8_t kOutgoingNotAccepted = 7;
constexpr uint8_t kIncomingNotAccepted = 3;
}  // namespace

ControlConnection::ControlConnection(std::shared_ptr<const ControlSettings> settings,
                                     AllocateCallId allocate, ControlCounters* counters,
                                     uint32_t echo_jitter_permille, uint64_t now_ms)
    : settings_(std::move(settings)),
      allocate_(std::move(allocate)),
      counters_(counters),
      echo_interval_ms_(settings_->echo_interval_ms * echo_jitter_permille / 1000),
      state_deadline_ms_(now_ms + settings_->start_timeout_ms) {}

void ControlConnection::OnOctets(wire::Octets in, uint64_t now_ms) {
  while (alive()) {
    tl::expected<wp::Message, wp::Error> message = parser_.Next(in);
    if (message) {
      OnMessage(*message, now_ms);
    } else if (message.error() == wp::Error::kIncomplete) {
      return;
    } else {
      OnParseError(message.error());
    }
  }
}

void ControlConnection::OnParseError(wp::Error error) {
  switch (error) {
    case wp::Error::kUnknownType:
      ++counters_->unknown_types;
      break;
    case wp::Error::kBadCookie:
      ++counters_->bad_cookies;
      break;
    case wp::Error::kBadMessageType:
      ++counters_->bad_message_types;
      break;
    default:
      ++counters_->bad_lengths;
  }
  // s1.4: lost synchronisation cannot be found again.
  Close(std::string("malformed control message: ") + std::string(wp::ToString(error)));
}

void ControlConnection::OnMessage(const wp::Message& message, uint64_t now_ms) {
  silence_deadline_ms_ = now_ms + echo_interval_ms_;
  echo_outstanding_ = false;
  if (const auto* start = std::get_if<wp::StartRequest>(&message)) {
    return OnStartRequest(*start, now_ms);
  }
  if (state_ == State::kIdle) {
    ++counters_->unexpected_messages;
    return Close("the first message was not Start-Control-Connection-Request");
  }
  if (std::get_if<wp::StopRequest>(&message) != nullptr) {
    return OnStopRequest(now_ms);
  }
  if (const auto* echo = std::get_if<wp::EchoRequest>(&message)) {
    return Send(wp::EchoReply{.identifier = echo->identifier, .result = kResultOk, .error = 0});
  }
  if (state_ == State::kWaitStopReply) {
    if (std::get_if<wp::StopReply>(&message) != nullptr) {
      Close(close_reason_);
    }
    return;  // calls are gone; what the peer sent before it saw our request has no meaning now
  }
  if (const auto* request = std::get_if<wp::OutgoingCallRequest>(&message)) {
    OnOutgoingCallRequest(*request, now_ms);
  } else if (const auto* incoming = std::get_if<wp::IncomingCallRequest>(&message)) {
    OnIncomingCallRequest(*incoming);
  } else if (const auto* clear = std::get_if<wp::CallClearRequest>(&message)) {
    OnCallClearRequest(*clear);
  } else if (const auto* notify = std::get_if<wp::CallDisconnectNotify>(&message)) {
    OnCallDisconnectNotify(*notify, now_ms);
  } else if (const auto* info = std::get_if<wp::SetLinkInfo>(&message)) {
    OnSetLinkInfo(*info);
  } else if (std::get_if<wp::EchoReply>(&message) == nullptr &&
             std::get_if<wp::WanErrorNotify>(&message) == nullptr) {
    ++counters_->unexpected_messages;
  }
}

void ControlConnection::OnStartRequest(const wp::StartRequest& request, uint64_t now_ms) {
  if (state_ != State::kIdle) {
    ++counters_->unexpected_messages;
    return SendStartReply(kStartExists);
  }
  if (request.version < wp::kVersion) {
    ++counters_->unsupported_versions;
    SendStartReply(kStartVersion);
    return FlushAndClose("protocol version not supported", now_ms);
  }
  state_ = State::kEstablished;
  idle_deadline_ms_ = now_ms + settings_->idle_timeout_ms;
  SendStartReply(kResultOk);
}

void ControlConnection::SendStartReply(uint8_t result) {
  wp::StartReply reply;
  reply.result = result;
  reply.framing_capabilities = kFramingEither;
  reply.bearer_capabilities = kBearerAny;
  reply.max_channels = static_cast<uint16_t>(std::min<size_t>(settings_->max_calls, 65535));
  reply.firmware_revision = 1;
  reply.host_name = wp::ToName(settings_->host_name);
  reply.vendor = wp::ToName(settings_->vendor);
  Send(reply);
}

void ControlConnection::OnStopRequest(uint64_t now_ms) {
  LoseCalls("client stopped the control connection");
  Send(wp::StopReply{.result = kResultOk, .error = 0});
  FlushAndClose("stopped by the client", now_ms);
}

void ControlConnection::OnOutgoingCallRequest(const wp::OutgoingCallRequest& request,
                                              uint64_t now_ms) {
  // Odd speeds, bearers, framings and numbers are seen in the field and mean nothing here.
  if (FindByPeers(request.call_id) != nullptr) {
    ++counters_->refused_calls;
    return SendCallReply(0, request.call_id, kResultError,
                         static_cast<uint8_t>(wp::ErrorCode::kBadCallId));
  }
  uint16_t call_id = calls_.size() < settings_->max_calls ? allocate_() : 0;
  if (call_id == 0) {
    ++counters_->refused_calls;
    return SendCallReply(0, request.call_id, kResultError,
                         static_cast<uint8_t>(wp::ErrorCode::kNoResource));
  }
  calls_.push_back({.call_id = call_id,
                    .peer_call_id = request.call_id,
                    .step = CallState::Step::kPending,
                    .link_info = {}});
  effects_.emplace_back(CallRequested{.call_id = call_id,
                                      .peer_call_id = request.call_id,
                                      .peer_receive_window = request.receive_window});
}

void ControlConnection::SendCallReply(uint16_t call_id, uint16_t peer_call_id, uint8_t result,
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

bool ControlConnection::AcceptCall(uint16_t call_id, uint64_t now_ms) {
  CallState* call = FindByOurs(call_id);
  if (call == nullptr || call->step != CallState::Step::kPending) {
    return false;
  }
  call->step = CallState::Step::kConnected;
  SendCallReply(call->call_id, call->peer_call_id, kResultOk, 0);
  return alive();
}

void ControlConnection::RefuseCall(uint16_t call_id, Refusal refusal, uint64_t now_ms) {
  const CallState* call = FindByOurs(call_id);
  if (call == nullptr || call->step == CallState::Step::kConnected) {
    return;
  }
  ++counters_->refused_calls;
  uint16_t peer_call_id = call->peer_call_id;
  Forget(call_id, settings_->idle_timeout_ms, now_ms);
  switch (refusal) {
    case Refusal::kNoResource:
      return SendCallReply(0, peer_call_id, kResultError,
                           static_cast<uint8_t>(wp::ErrorCode::kNoResource));
    case Refusal::kBadCallId:
      return SendCallReply(0, peer_call_id, kResultError,
                           static_cast<uint8_t>(wp::ErrorCode::kBadCallId));
    case Refusal::kNotAccepted:
      return SendCallReply(0, peer_call_id, kOutgoingNotAccepted, 0);
  }
}

void ControlConnection::OnIncomingCallRequest(const wp::IncomingCallRequest& request) {
  // We are the called side: a PAC that offers us dial-in calls gets a clear no (s2.10).
  ++counters_->refused_calls;
  wp::IncomingCallReply reply;
  reply.peer_call_id = request.call_id;
  reply.result = kIncomingNotAccepted;
  Send(reply);
}

void ControlConnection::OnCallClearRequest(const wp::CallClearRequest& request) {
  CallState* call = FindLoosely(request.call_id);
  if (call == nullptr) {
    ++counters_->unknown_call_ids;
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
  const CallState* call = FindLoosely(notify.call_id);
  if (call == nullptr) {
    ++counters_->unknown_call_ids;
    return;
  }
  uint16_t call_id = call->call_id;
  Forget(call_id, settings_->idle_timeout_ms, now_ms);
  effects_.emplace_back(CallLost{.call_id = call_id, .reason = "client disconnected the call"});
}

void ControlConnection::OnSetLinkInfo(const wp::SetLinkInfo& info) {
  CallState* call = FindByOurs(info.peer_call_id);
  if (call == nullptr) {
    ++counters_->unknown_call_ids;
    return;
  }
  call->link_info = info;
}

void ControlConnection::DisconnectCall(uint16_t call_id, DisconnectResult result,
                                       std::string_view statistics, uint64_t now_ms) {
  if (FindByOurs(call_id) == nullptr) {
    return;
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

void ControlConnection::Stop(StopReason reason, uint64_t now_ms) {
  if (state_ == State::kIdle) {
    return Close("stopped before it was established");
  }
  if (state_ != State::kEstablished) {
    return;
  }
  LoseCalls("control connection stopped");
  state_ = State::kWaitStopReply;
  close_reason_ = reason == StopReason::kLocalShutdown ? "shut down" : "no more calls";
  state_deadline_ms_ = now_ms + settings_->stop_timeout_ms;
  Send(wp::StopRequest{.reason = static_cast<uint8_t>(reason)});
}

void ControlConnection::OnTimer(uint64_t now_ms) {
  std::optional<uint64_t> deadline = deadline_ms();
  if (!deadline || now_ms < *deadline) {
    return;
  }
  switch (state_) {
    case State::kIdle:
      ++counters_->start_timeouts;
      return Close("no Start-Control-Connection-Request in time");
    case State::kWaitStopReply:
    case State::kFlush:
      return Close(close_reason_);
    case State::kClosed:
      return;
    case State::kEstablished:
      break;
  }
  if (calls_.empty() && now_ms >= idle_deadline_ms_) {
    return Stop(StopReason::kNone, now_ms);
  }
  if (echo_outstanding_) {
    ++counters_->echo_timeouts;
    return Close("no answer to Echo-Request");
  }
  echo_outstanding_ = true;  // s3.1.4
  silence_deadline_ms_ = now_ms + settings_->echo_timeout_ms;
  Send(wp::EchoRequest{.identifier = ++echo_identifier_});
}

void ControlConnection::OnPeerClosed(std::string_view reason) {
  if (state_ != State::kClosed) {
    Close(state_ == State::kFlush ? std::string_view(close_reason_) : reason);
  }
}

void ControlConnection::OnWritten(size_t len) {
  output_.Consume(len);
  if (state_ == State::kFlush && output_.size() == 0) {
    Close(close_reason_);
  }
}

std::optional<uint64_t> ControlConnection::deadline_ms() const {
  switch (state_) {
    case State::kIdle:
    case State::kWaitStopReply:
    case State::kFlush:
      return state_deadline_ms_;
    case State::kEstablished:
      return calls_.empty() ? std::min(silence_deadline_ms_, idle_deadline_ms_)
                            : silence_deadline_ms_;
    case State::kClosed:
      break;
  }
  return std::nullopt;
}

std::vector<Effect> ControlConnection::TakeEffects() { return std::exchange(effects_, {}); }

void ControlConnection::Send(const wp::Message& message) {
  if (!alive()) {
    return;
  }
  std::vector<uint8_t> octets = wp::Emit(message);
  if (output_.size() + octets.size() > settings_->max_output_len) {
    ++counters_->output_overflows;
    return Close("client does not read its control connection");
  }
  output_.Push(std::move(octets));
}

ControlConnection::CallState* ControlConnection::FindByOurs(uint16_t call_id) {
  auto it = std::find_if(calls_.begin(), calls_.end(),
                         [&](const CallState& call) { return call.call_id == call_id; });
  return it == calls_.end() ? nullptr : &*it;
}

ControlConnection::CallState* ControlConnection::FindByPeers(uint16_t call_id) {
  auto it = std::find_if(calls_.begin(), calls_.end(),
                         [&](const CallState& call) { return call.peer_call_id == call_id; });
  return it == calls_.end() ? nullptr : &*it;
}

// FindLoosely: the sender's id is what s2.12 wants; some send ours, or, behind a NAT that
// rewrites only some messages, neither.
ControlConnection::CallState* ControlConnection::FindLoosely(uint16_t call_id) {
  if (CallState* call = FindByPeers(call_id)) {
    return call;
  }
  if (CallState* call = FindByOurs(call_id)) {
    return call;
  }
  return calls_.size() == 1 ? &calls_.front() : nullptr;
}

void ControlConnection::Forget(uint16_t call_id, uint64_t idle_ms, uint64_t now_ms) {
  std::erase_if(calls_, [&](const CallState& call) { return call.call_id == call_id; });
  idle_deadline_ms_ = now_ms + idle_ms;
}

void ControlConnection::LoseCalls(std::string_view reason) {
  for (const CallState& call : calls_) {
    effects_.emplace_back(CallLost{.call_id = call.call_id, .reason = std::string(reason)});
  }
  calls_.clear();
}

void ControlConnection::FlushAndClose(std::string_view reason, uint64_t now_ms) {
  if (!alive()) {
    return;
  }
  state_ = State::kFlush;
  close_reason_ = reason;
  state_deadline_ms_ = now_ms + settings_->stop_timeout_ms;
}

void ControlConnection::Close(std::string_view reason) {
  std::string text(reason);  // `reason` may be close_reason_
  state_ = State::kClosed;
  LoseCalls(text);
  output_.Clear();
  effects_.emplace_back(Closed{.reason = std::move(text)});
}

}  // namespace culvert::pptp
