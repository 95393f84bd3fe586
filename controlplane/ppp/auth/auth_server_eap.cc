// EAP as authenticator (RFC 3748 s2.2): Identity is asked for here, all other methods are AAA's.
#include <algorithm>

#include "controlplane/ppp/auth/auth_server.h"

namespace culvert::ppp {

namespace eap = wire::eap;

namespace {

// EAP-TLS with a long chain of certificates takes some twenty.
constexpr uint32_t kMaxRounds = 60;
constexpr uint64_t kMaxRoundMs = 30'000;  // the peer's answer and AAA's

std::vector<uint8_t> Frame(const eap::Packet& packet) {
  std::vector<uint8_t> frame = {wire::ppp::kEap >> 8, wire::ppp::kEap & 0xff};
  const std::vector<uint8_t> octets = eap::Emit(packet);
  frame.insert(frame.end(), octets.begin(), octets.end());
  return frame;
}

// Identity is the text up to a NUL: what may follow are options (RFC 3748 s5.1).
std::string Identity(wire::Octets data) {
  const auto end = std::find(data.begin(), data.end(), 0);
  return {data.begin(), end};
}

}  // namespace

void AuthServer::StartEap(uint64_t now_ms) {
  num_sent_ = 0;
  request_ =
      Frame({.code = eap::kRequest, .identifier = identifier_, .type = eap::kIdentity, .data = {}});
  SendRequest(now_ms);
}

void AuthServer::OnEap(wire::Octets information) {
  const auto packet = eap::Parse(information);
  if (!packet) {
    ++counters_->malformed_packets;
    return;
  }
  if (packet->code != eap::kResponse) {
    ++counters_->unknown_codes;  // the peer may not authenticate us
    return;
  }
  if (IsRepeated(packet->identifier)) {
    return;
  }
  if (stage_ != Stage::kWaiting || packet->identifier != identifier_) {
    ++counters_->bad_identifiers;
    return;
  }
  if (num_rounds_ == 0) {
    if (packet->type != eap::kIdentity) {  // nor may it be refused by a Nak (s5.3.1)
      ++counters_->malformed_packets;
      return;
    }
    user_ = Identity(packet->data);
  }
  ++num_rounds_;
  AskFor(EapExchange{.packet = eap::Emit(*packet)});  // without padding
}

AuthServer::Outcome AuthServer::NextEapRequest(const AuthResult& result, uint64_t now_ms) {
  const auto request = eap::Parse(result.eap);
  if (!request || request->code != eap::kRequest || num_rounds_ >= kMaxRounds) {
    failure_ = num_rounds_ >= kMaxRounds ? "too many rounds of EAP"
                                         : "AAA's challenge holds no EAP Request";
    stage_ = Stage::kFailed;
    AnswerEap(result);
    return Outcome::kFailed;
  }
  stage_ = Stage::kWaiting;
  identifier_ = request->identifier;
  state_ = result.state;
  request_ = Frame(*request);
  num_sent_ = 0;
  // In a challenge Session-Timeout is how long the peer may take (RFC 3579 s2.3).
  const uint64_t patience_ms = uint64_t{1000} * result.grants.session_timeout_s.value_or(0);
  resend_ms_ = patience_ms != 0 ? std::min(patience_ms, kMaxRoundMs) : settings_.restart_timer_ms;
  end_deadline_ms_ = now_ms + std::max(kMaxRoundMs, 2 * resend_ms_);
  SendRequest(now_ms);
  return Outcome::kGoesOn;
}

// AnswerEap: AAA's verdict decides, not the code of the packet that comes with it (RFC 3579
// s2.6.3), which is passed on when both say the same.
void AuthServer::AnswerEap(const AuthResult& result) {
  const uint8_t code = stage_ == Stage::kPassed ? eap::kSuccess : eap::kFailure;
  auto packet = eap::Parse(result.eap);
  if (!packet || packet->code != code) {
    packet = eap::Packet{.code = code, .identifier = identifier_, .type = 0, .data = {}};
  }
  Answer(Frame(*packet));
}

}  // namespace culvert::ppp
