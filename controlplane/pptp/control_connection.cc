#include "controlplane/pptp/control_connection.h"

#include <algorithm>

namespace culvert::pptp {

namespace wp = wire::pptp;

namespace {
constexpr uint32_t kFramingEither = 3;
constexpr uint32_t kBearerAny = 3;
constexpr uint8_t kResultOk = 1;
constexpr uint8_t kResultError = 2;
// Start-Control-Connection-Reply (s2.2).
constexpr uint8_t kStartExists = 3;
constexpr uint8_t kStartNotAuthorised = 4;
constexpr uint8_t kStartVersion = 5;
}  // namespace

ControlConnection::ControlConnection(std::shared_ptr<const ControlSettings> settings,
                                     ControlGate* gate, ControlCounters* counters,
                                     uint32_t echo_jitter_permille, uint64_t now_ms)
    : settings_(std::move(settings)),
      gate_(gate),
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
  if (std::get_if<wp::EchoReply>(&message) == nullptr) {
    OnCallMessage(message, now_ms);
  }
}

void ControlConnection::OnStartRequest(const wp::StartRequest& request, uint64_t now_ms) {
  if (state_ != State::kIdle) {
    ++counters_->unexpected_messages;
    return SendStartReply(kStartExists, 0);
  }
  if (request.version < wp::kVersion) {
    ++counters_->unsupported_versions;
    return RefuseStart(kStartVersion, 0, "protocol version not supported", now_ms);
  }
  switch (gate_->JudgeStart()) {
    case StartVerdict::kAccept:
      break;
    case StartVerdict::kNotAuthorised:
      return RefuseStart(kStartNotAuthorised, 0, "not authorised", now_ms);
    case StartVerdict::kNoResource:
      return RefuseStart(kResultError, static_cast<uint8_t>(wp::ErrorCode::kNoResource),
                         "no resources", now_ms);
  }
  state_ = State::kEstablished;
  peer_host_name_ = wp::FromName(request.host_name);
  idle_deadline_ms_ = now_ms + settings_->idle_timeout_ms;
  SendStartReply(kResultOk, 0);
}

void ControlConnection::RefuseStart(uint8_t result, uint8_t error, std::string_view reason,
                                    uint64_t now_ms) {
  ++counters_->refused_starts;
  SendStartReply(result, error);
  FlushAndClose(reason, now_ms);
}

void ControlConnection::SendStartReply(uint8_t result, uint8_t error) {
  wp::StartReply reply;
  reply.result = result;
  reply.error = error;
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
  if (now_ms >= calls_.NextDeadline()) {  // s3.2.1: it takes the connection with it
    ++counters_->call_timeouts;
    return Close("no answer about a call in time");
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
      return std::min(silence_deadline_ms_,
                      calls_.empty() ? idle_deadline_ms_ : calls_.NextDeadline());
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

void ControlConnection::LoseCalls(std::string_view reason) {
  for (const CallState& call : calls_.TakeAll()) {
    if (call.step != CallState::Step::kWaitDisconnect) {  // whose end the caller knows
      effects_.emplace_back(CallLost{.call_id = call.call_id, .reason = std::string(reason)});
    }
  }
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
