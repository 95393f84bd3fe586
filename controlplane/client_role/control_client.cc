#include "controlplane/client_role/control_client.h"

#include <algorithm>
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
  Call* call = Find(reply.peer_call_id);
  if (call == nullptr || call->step != Call::Step::kWaitReply) {
    return;  // one that was hung up meanwhile waits for its Call-Disconnect-Notify
  }
  if (reply.result == kResultOk) {
    call->step = Call::Step::kEstablished;
    call->peer_call_id = reply.call_id;
    effects_.emplace_back(CallOpened{.call_id = call->call_id, .peer_call_id = reply.call_id});
    return;
  }
  const CallRefused refused{.call_id = call->call_id, .result = reply.result, .error = reply.error};
  std::erase_if(calls_, [&](const Call& one) { return one.call_id == refused.call_id; });
  effects_.emplace_back(refused);
}

void ControlClient::OnDisconnect(const wp::CallDisconnectNotify& notify) {
  // The id is the sender's (s2.13). A call that was hung up before its reply came has none yet.
  auto it = std::find_if(calls_.begin(), calls_.end(), [&](const Call& call) {
    return call.peer_call_id == notify.call_id && call.step != Call::Step::kWaitReply;
  });
  if (it == calls_.end() && calls_.size() == 1) {
    it = calls_.begin();
  }
  if (it == calls_.end()) {
    return;
  }
  effects_.emplace_back(CallClosed{.call_id = it->call_id, .result = notify.result});
  calls_.erase(it);
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
  calls_.push_back({.call_id = call_id, .deadline_ms = now_ms + settings_->reply_timeout_ms});
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
  call->deadline_ms = now_ms + settings_->reply_timeout_ms;
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
  std::optional<uint64_t> next;
  for (const Call& call : calls_) {
    if (state_ == State::kEstablished && call.step != Call::Step::kEstablished) {
      next = std::min(next.value_or(UINT64_MAX), call.deadline_ms);
    }
  }
  return next;
}

std::vector<ControlEffect> ControlClient::TakeEffects() { return std::exchange(effects_, {}); }

void ControlClient::Send(const wp::Message& message) { output_.Push(wp::Emit(message)); }

// Close leaves what is written already in the queue: a Stop-Control-Connection-Reply goes out.
void ControlClient::Close(std::string_view reason) {
  state_ = State::kClosed;
  calls_.clear();
  effects_.emplace_back(ConnectionClosed{.reason = std::string(reason)});
}

ControlClient::Call* ControlClient::Find(uint16_t call_id) {
  const auto it = std::find_if(calls_.begin(), calls_.end(),
                               [&](const Call& call) { return call.call_id == call_id; });
  return it == calls_.end() ? nullptr : &*it;
}

}  // namespace culvert::client_role
