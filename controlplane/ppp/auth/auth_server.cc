#include "controlplane/ppp/auth/auth_server.h"

#include <algorithm>

namespace culvert::ppp {
namespace {

// For the peer's answer, AAA's and all repetitions together, in each round.
constexpr uint64_t kMaxDurationMs = 30'000;
constexpr uint32_t kMaxBackoff = 3;  // times the first interval

}  // namespace

AuthServer::AuthServer(const PppSettings& settings, const Random& random, PppCounters* counters,
                       AuthServerOwner* owner)
    : settings_(settings), random_(random), counters_(counters), owner_(owner) {}

void AuthServer::Start(AuthMethod method, uint64_t now_ms) {
  method_ = method;
  stage_ = Stage::kWaiting;
  last_answer_.clear();
  state_.clear();
  num_rounds_ = num_retries_ = 0;
  may_change_password_ = asked_for_change_ = false;
  failure_.clear();
  resend_ms_ = settings_.restart_timer_ms;
  end_deadline_ms_ = now_ms + kMaxDurationMs;
  if (method == AuthMethod::kPap) {
    return;
  }
  // RFC 1994 s4.1: every Challenge has its own identifier and value.
  uint8_t step = 0;
  random_({&step, 1});
  identifier_ = static_cast<uint8_t>(identifier_ + 1 + step % 255);
  method == AuthMethod::kEap ? StartEap(now_ms) : StartChap(now_ms);
}

void AuthServer::Stop() {
  stage_ = Stage::kIdle;
  request_deadline_ms_.reset();
  end_deadline_ms_.reset();
}

void AuthServer::SendRequest(uint64_t now_ms) {
  ++num_sent_;
  request_deadline_ms_ = now_ms + resend_ms_ * std::min(num_sent_, kMaxBackoff);
  owner_->SendAuth(request_);
}

void AuthServer::OnTimer(uint64_t now_ms) {
  if (end_deadline_ms_ && now_ms >= *end_deadline_ms_) {
    const bool asking = stage_ == Stage::kAsking;
    Stop();
    return owner_->OnAuthTimeout(asking ? "no verdict on the authentication in time"
                                        : "the client does not authenticate");
  }
  if (!request_deadline_ms_ || now_ms < *request_deadline_ms_) {
    return;
  }
  if (num_sent_ >= settings_.max_configure) {
    Stop();
    return owner_->OnAuthTimeout("the client does not answer the Challenge");
  }
  SendRequest(now_ms);
}

std::optional<uint64_t> AuthServer::deadline_ms() const {
  if (request_deadline_ms_ && end_deadline_ms_) {
    return std::min(*request_deadline_ms_, *end_deadline_ms_);
  }
  return request_deadline_ms_ ? request_deadline_ms_ : end_deadline_ms_;
}

void AuthServer::OnPacket(uint16_t protocol, wire::Octets information, uint64_t now_ms) {
  const uint16_t expected = method_ == AuthMethod::kPap   ? wire::ppp::kPap
                            : method_ == AuthMethod::kEap ? wire::ppp::kEap
                                                          : wire::ppp::kChap;
  if (stage_ == Stage::kIdle || protocol != expected) {
    ++counters_->out_of_phase;
    return;
  }
  if (protocol == wire::ppp::kEap) {
    return OnEap(information);
  }
  const auto packet = wire::ppp::ParseControl(information);
  if (!packet) {
    ++counters_->malformed_packets;
    return;
  }
  protocol == wire::ppp::kPap ? OnPap(*packet) : OnChap(*packet);
}

void AuthServer::AskFor(AuthExchange exchange) {
  stage_ = Stage::kAsking;
  last_answer_.clear();
  last_identifier_ = identifier_;
  request_deadline_ms_.reset();
  AuthRequest request;  // by name: at -O3 g++ 12 takes a temporary's pointer for uninitialised
  request.user = user_;
  request.exchange = std::move(exchange);
  request.state = state_;
  owner_->Ask(std::move(request));
}

// IsRepeated: RFC 1334 s2.2.1, RFC 1994 s4.2: the same request gets the same answer, and AAA is
// not asked again; while AAA thinks it gets none.
bool AuthServer::IsRepeated(uint8_t identifier) {
  if (identifier != last_identifier_ || (stage_ == Stage::kWaiting && last_answer_.empty())) {
    return false;
  }
  if (!last_answer_.empty()) {
    owner_->SendAuth(last_answer_);
  }
  return true;
}

AuthServer::Outcome AuthServer::OnResult(const AuthResult& result, uint64_t now_ms) {
  if (stage_ != Stage::kAsking) {
    return Outcome::kNobodyAsked;
  }
  end_deadline_ms_.reset();
  if (method_ == AuthMethod::kEap && result.verdict == AuthVerdict::kChallenge) {
    return NextEapRequest(result, now_ms);
  }
  if (result.verdict != AuthVerdict::kAccept && MayRetry(result)) {
    return Retry(result, now_ms);
  }
  // RFC 2865 s4.4: a challenge that the protocol cannot carry is a refusal.
  if (result.verdict == AuthVerdict::kChallenge) {
    failure_ = "AAA gives a challenge that the method cannot carry";
  }
  const bool passed = result.verdict == AuthVerdict::kAccept;
  stage_ = passed ? Stage::kPassed : Stage::kFailed;
  switch (method_) {
    case AuthMethod::kPap:
      AnswerPap(result);
      break;
    case AuthMethod::kEap:
      AnswerEap(result);
      break;
    default:
      AnswerChap(result);
  }
  request_ = {};  // a call that is up needs the last answer only
  challenge_ = {};
  state_ = {};
  return passed ? Outcome::kPassed : Outcome::kFailed;
}

void AuthServer::Answer(std::vector<uint8_t> frame) {
  last_answer_ = std::move(frame);
  owner_->SendAuth(last_answer_);
}

}  // namespace culvert::ppp
