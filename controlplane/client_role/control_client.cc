#include "controlplane/client_role/control_client.h"

#include <utility>

namespace culvert::client_role {

namespace wp = wire::pptp;

namespace {
constexpr uint8_t kResultOk = 1;
constexpr uint32_t kEither = 3;  // framings and bearers
constexpr uint32_t kMinBps = 300;
constexpr uint32_t kMaxBps = 100'000'000;
}  // namespace

void ControlClient::OnConnected(uint64_t now_ms) {
  if (state_ != State::kIdle) {
    return;
  }
  state_ = State::kWaitReply;
  deadline_ms_ = now_ms + settings_->reply_timeout_ms;
  wp::StartRequest request;
  request.framing_capabilities = kEither;
  request.bearer_capabilities = kEither;
  request.host_name = wp::ToName(settings_->host_name);
  request.vendor = wp::ToName(settings_->vendor);
  Send(request);
}

void ControlClient::OnOctets(wire::Octets in, uint64_t now_ms) {
  while (state_ != State::kClosed) {
    const tl::expected<wp::Message, wp::Error> message = parser_.Next(in);
    if (message) {
      OnMessage(*message, now_ms);
    } else if (message.error() == wp::Error::kIncomplete) {
      return;
    } else {
      return Close("malformed control message");
    }
  }
}

void ControlClient::OnMessage(const wp::Message& message, uint64_t now_ms) {
  if (const auto* start = std::get_if<wp::StartReply>(&message)) {
    return OnStartReply(*start, now_ms);
  }
  if (state_ == State::kWaitReply) {
    return Close("the first message was not Start-Control-Connection-Reply");
  }
  if (const auto* echo = std::get_if<wp::EchoRequest>(&message)) {
    return Send(wp::EchoReply{.identifier = echo->identifier, .result = kResultOk, .error = 0});
  }
  if (std::holds_alternative<wp::StopRequest>(message)) {
    Send(wp::StopReply{.result = kResultOk, .error = 0});
    return Close("stopped by the peer");
  }
  if (state_ == State::kWaitStopReply) {
    return std::holds_alternative<wp::StopReply>(message) ? Close("stopped") : void();
  }
  if (const auto* reply = std::get_if<wp::OutgoingCallReply>(&message)) {
    OnCallReply(*reply);
  } else if (const auto* notify = std::get_if<wp::CallDisconnectNotify>(&message)) {
    OnDisconnect(*notify);
  }
}

void ControlClient::OnStartReply(const wp::StartReply& reply, uint64_t now_ms) {
  if (state_ != State::kWaitReply) {
    return;
  }
  if (reply.result != kResultOk) {
    return Close("the peer refuses the connection");
  }
  if (reply.version != wp::kVersion) {  // s3.1.1
    return Stop(pptp::StopReason::kProtocol, now_ms);
  }
  state_ = State::kEstablished;
  effects_.emplace_back(Established{});
}

void ControlClient::OnCallReply(const wp::OutgoingCallReply& reply) {
  const uint16_t call_id = reply.peer_call_id;
  Call* call = Find(call_id);
  if (call == nullptr || call->step != Call::Step::kWaitReply) {
    return;  // one that was hung up meanwhile waits for its Call-Disconnect-Notify
  }
  if (reply.result == kResultOk) {
    call->step = Call::Step::kEstablished;
    call->peer_call_id = reply.call_id;
    by_peer_id_[reply.call_id] = call_id;
    effects_.emplace_back(CallOpened{.call_id = call_id, .peer_call_id = reply.call_id});
  } else {
    Forget(call_id);
    effects_.emplace_back(
        CallRefused{.call_id = call_id, .result = reply.result, .error = reply.error});
  }
  DropWaits();
}

void ControlClient::OnDisconnect(const wp::CallDisconnectNotify& notify) {
  // The id is the sender's (s2.13). A call that was hung up before its reply came has none yet.
  const auto it = by_peer_id_.find(notify.call_id);
  if (it == by_peer_id_.end() && calls_.size() != 1) {
    return;
  }
  const uint16_t call_id = it != by_peer_id_.end() ? it->second : calls_.begin()->first;
  Forget(call_id);
  effects_.emplace_back(CallClosed{.call_id = call_id, .result = notify.result});
  DropWaits();
}

void ControlClient::OnPeerClosed(std::string_view reason) {
  if (state_ != State::kClosed) {
    Close(reason);
  }
}

void ControlClient::OnCollision(uint32_t our_address, uint32_t peer_address) {
  if (state_ == State::kWaitReply && !WinsCollision(our_address, peer_address)) {
    Close("the peer's connection is the one that stays");
  }
}

void ControlClient::Dial(uint16_t call_id, uint64_t now_ms) {
  if (state_ != State::kEstablished || Find(call_id) != nullptr) {
    return;
  }
  AddWait(call_id, &calls_[call_id], now_ms);
  wp::OutgoingCallRequest request;
  request.call_id = call_id;
  request.serial_number = call_id;
  request.minimum_bps = kMinBps;
  request.maximum_bps = kMaxBps;
  request.bearer_type = kEither;
  request.framing_type = kEither;
  request.receive_window = settings_->receive_window;
  Send(request);
}

void ControlClient::HangUp(uint16_t call_id, uint64_t now_ms) {
  Call* call = Find(call_id);
  if (call == nullptr || call->step == Call::Step::kWaitDisconnect) {
    return;
  }
  call->step = Call::Step::kWaitDisconnect;
  AddWait(call_id, call, now_ms);
  Send(wp::CallClearRequest{.call_id = call_id});
}

void ControlClient::Stop(pptp::StopReason reason, uint64_t now_ms) {
  if (state_ != State::kEstablished && state_ != State::kWaitReply) {
    return;
  }
  state_ = State::kWaitStopReply;
  deadline_ms_ = now_ms + settings_->stop_timeout_ms;
  Send(wp::StopRequest{.reason = static_cast<uint8_t>(reason)});
}

void ControlClient::OnTimer(uint64_t now_ms) {
  const std::optional<uint64_t> deadline = this->deadline_ms();
  if (deadline && now_ms >= *deadline) {
    Close(state_ == State::kWaitStopReply ? "stopped" : "no reply in time");
  }
}

std::optional<uint64_t> ControlClient::deadline_ms() const {
  if (state_ == State::kWaitReply || state_ == State::kWaitStopReply) {
    return deadline_ms_;
  }
  if (state_ != State::kEstablished || first_wait_ == waits_.size()) {
    return std::nullopt;
  }
  return waits_[first_wait_].deadline_ms;
}

std::vector<ControlEffect> ControlClient::TakeEffects() { return std::exchange(effects_, {}); }

void ControlClient::Send(const wp::Message& message) { output_.Push(wp::Emit(message)); }

// Close leaves what is written already in the queue: a Stop-Control-Connection-Reply goes out.
void ControlClient::Close(std::string_view reason) {
  state_ = State::kClosed;
  calls_.clear();
  by_peer_id_.clear();
  waits_.clear();
  first_wait_ = 0;
  effects_.emplace_back(ConnectionClosed{.reason = std::string(reason)});
}

ControlClient::Call* ControlClient::Find(uint16_t call_id) {
  const auto it = calls_.find(call_id);
  return it == calls_.end() ? nullptr : &it->second;
}

void ControlClient::Forget(uint16_t call_id) {
  const auto it = calls_.find(call_id);
  const auto peer = by_peer_id_.find(it->second.peer_call_id);
  if (peer != by_peer_id_.end() && peer->second == call_id) {
    by_peer_id_.erase(peer);
  }
  calls_.erase(it);
}

bool ControlClient::Waits(const Wait& wait) const {
  const auto it = calls_.find(wait.call_id);
  return it != calls_.end() && it->second.step != Call::Step::kEstablished &&
         it->second.deadline_ms == wait.deadline_ms;
}

// AddWait: all wait for the same time, so that the last one to begin is the last one to end.
void ControlClient::AddWait(uint16_t call_id, Call* call, uint64_t now_ms) {
  call->deadline_ms = now_ms + settings_->reply_timeout_ms;
  waits_.push_back({.deadline_ms = call->deadline_ms, .call_id = call_id});
  DropWaits();
}

// DropWaits leaves one in front that a call waits for, or none.
void ControlClient::DropWaits() {
  while (first_wait_ < waits_.size() && !Waits(waits_[first_wait_])) {
    ++first_wait_;
  }
  if (first_wait_ == waits_.size()) {
    waits_.clear();
    first_wait_ = 0;
  }
}

}  // namespace culvert::client_role
