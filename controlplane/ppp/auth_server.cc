#include "controlplane/ppp/auth_server.h"

#include <algorithm>

#include "proto/wire/auth.h"

namespace culvert::ppp {

namespace chap = wire::chap;
namespace pap = wire::pap;
using wire::ppp::ControlPacket;
using wire::ppp::EmitControl;

namespace {

// For the peer's answer, AAA's and all repetitions together.
constexpr uint64_t kMaxDurationMs = 30'000;
constexpr uint32_t kMaxBackoff = 3;  // times the first restart timer
constexpr std::string_view kPassedText = "Access granted";
constexpr std::string_view kFailedText = "Authentication failure";

wire::Octets AsOctets(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

template <size_t N>
std::array<uint8_t, N> Copy(std::span<const uint8_t> octets) {
  std::array<uint8_t, N> out{};
  std::copy_n(octets.begin(), std::min(N, octets.size()), out.begin());
  return out;
}

size_t ChallengeLen(AuthMethod method) { return method == AuthMethod::kMsChap ? 8 : 16; }

}  // namespace

AuthServer::AuthServer(const PppSettings& settings, Random random, PppCounters* counters,
                       AuthServerOwner* owner)
    : settings_(settings), random_(std::move(random)), counters_(counters), owner_(owner) {}

void AuthServer::Start(AuthMethod method, uint64_t now_ms) {
  method_ = method;
  stage_ = Stage::kWaiting;
  last_answer_.clear();
  end_deadline_ms_ = now_ms + kMaxDurationMs;
  if (method == AuthMethod::kPap) {
    return;
  }
  // RFC 1994 s4.1: every Challenge has its own identifier and value.
  uint8_t step = 0;
  random_({&step, 1});
  identifier_ = static_cast<uint8_t>(identifier_ + 1 + step % 255);
  challenge_.resize(ChallengeLen(method));
  random_(challenge_);
  num_challenges_ = 0;
  SendChallenge(now_ms);
}

void AuthServer::Stop() {
  stage_ = Stage::kIdle;
  challenge_deadline_ms_.reset();
  end_deadline_ms_.reset();
}

void AuthServer::SendChallenge(uint64_t now_ms) {
  ++num_challenges_;
  challenge_deadline_ms_ =
      now_ms + settings_.restart_timer_ms * std::min(num_challenges_, kMaxBackoff);
  owner_->SendAuth(
      EmitControl(wire::ppp::kChap, chap::kChallenge, identifier_,
                  chap::EmitValue({.value = challenge_, .name = settings_.server_name})));
}

void AuthServer::OnTimer(uint64_t now_ms) {
  if (end_deadline_ms_ && now_ms >= *end_deadline_ms_) {
    const bool asking = stage_ == Stage::kAsking;
    Stop();
    return owner_->OnAuthTimeout(asking ? "no verdict on the authentication in time"
                                        : "the client does not authenticate");
  }
  if (!challenge_deadline_ms_ || now_ms < *challenge_deadline_ms_) {
    return;
  }
  if (num_challenges_ >= settings_.max_configure) {
    Stop();
    return owner_->OnAuthTimeout("the client does not answer the Challenge");
  }
  SendChallenge(now_ms);
}

std::optional<uint64_t> AuthServer::deadline_ms() const {
  if (challenge_deadline_ms_ && end_deadline_ms_) {
    return std::min(*challenge_deadline_ms_, *end_deadline_ms_);
  }
  return challenge_deadline_ms_ ? challenge_deadline_ms_ : end_deadline_ms_;
}

void AuthServer::OnPacket(uint16_t protocol, wire::Octets information, uint64_t now_ms) {
  const uint16_t expected = method_ == AuthMethod::kPap ? wire::ppp::kPap : wire::ppp::kChap;
  if (stage_ == Stage::kIdle || protocol != expected) {
    ++counters_->out_of_phase;
    return;
  }
  const auto packet = wire::ppp::ParseControl(information);
  if (!packet) {
    ++counters_->malformed_packets;
    return;
  }
  protocol == wire::ppp::kPap ? OnPap(*packet) : OnChap(*packet);
}

void AuthServer::OnPap(const ControlPacket& packet) {
  if (packet.code != pap::kRequest) {
    ++counters_->unknown_codes;  // neither protocol has a Code-Reject
    return;
  }
  const auto request = pap::ParseRequest(packet.data);
  if (!request) {
    ++counters_->malformed_packets;
    return;
  }
  if (stage_ != Stage::kWaiting) {
    if (packet.identifier != identifier_) {
      ++counters_->bad_identifiers;
    } else if (!last_answer_.empty()) {
      owner_->SendAuth(last_answer_);  // RFC 1334 s2.2.1: the Ack may have been lost
    }
    return;
  }
  AuthRequest question;
  question.user = request->peer_id;
  question.exchange = PapExchange{.password = Secret(AsOctets(request->password))};
  AskFor(std::move(question), packet.identifier);
}

void AuthServer::OnChap(const ControlPacket& packet) {
  if (packet.code != chap::kResponse) {
    ++counters_->unknown_codes;
    return;
  }
  if (packet.identifier != identifier_) {
    ++counters_->bad_identifiers;
    return;
  }
  if (stage_ != Stage::kWaiting) {
    // RFC 1994 s4.2: the same Response gets the same answer, without asking again.
    if (!last_answer_.empty()) {
      owner_->SendAuth(last_answer_);
    }
    return;
  }
  std::optional<AuthRequest> question = Exchange(packet);
  if (!question) {
    ++counters_->malformed_packets;
    return;
  }
  AskFor(std::move(*question), packet.identifier);
}

std::optional<AuthRequest> AuthServer::Exchange(const ControlPacket& packet) const {
  const auto response = chap::ParseValue(packet.data);
  if (!response) {
    return std::nullopt;
  }
  AuthRequest question;
  question.user = response->name;
  if (method_ == AuthMethod::kChapMd5) {
    if (response->value.size() != 16) {
      return std::nullopt;
    }
    question.exchange = ChapMd5Exchange{.identifier = packet.identifier,
                                        .challenge = challenge_,
                                        .response = Copy<16>(response->value)};
    return question;
  }
  if (method_ == AuthMethod::kMsChap) {
    const auto value = chap::ParseMsChapResponse(response->value);
    if (!value) {
      return std::nullopt;
    }
    question.exchange = MsChapExchange{.challenge = Copy<8>(challenge_),
                                       .lm_response = Copy<24>(value->lm_response),
                                       .nt_response = Copy<24>(value->nt_response),
                                       .flags = value->flags};
    return question;
  }
  const auto value = chap::ParseMsChapV2Response(response->value);
  if (!value) {
    return std::nullopt;
  }
  question.exchange = MsChapV2Exchange{.identifier = packet.identifier,
                                       .challenge = Copy<16>(challenge_),
                                       .peer_challenge = Copy<16>(value->peer_challenge),
                                       .nt_response = Copy<24>(value->nt_response)};
  return question;
}

void AuthServer::AskFor(AuthRequest request, uint8_t identifier) {
  stage_ = Stage::kAsking;
  identifier_ = identifier;
  challenge_deadline_ms_.reset();
  owner_->Ask(std::move(request));
}

bool AuthServer::OnResult(const AuthResult& result) {
  if (stage_ != Stage::kAsking) {
    return false;
  }
  end_deadline_ms_.reset();
  const bool passed = result.verdict == AuthVerdict::kAccept;
  stage_ = passed ? Stage::kPassed : Stage::kFailed;
  if (!passed) {
    Answer(method_ == AuthMethod::kPap ? uint8_t{pap::kNak} : uint8_t{chap::kFailure},
           FailureText());
  } else if (method_ == AuthMethod::kPap) {
    Answer(pap::kAck, "");
  } else if (method_ == AuthMethod::kMsChapV2) {
    // One blank before M=, nothing else: pppd takes no other form (RFC 2759 s5).
    Answer(chap::kSuccess, result.authenticator_response + " M=" + std::string(kPassedText));
  } else {
    Answer(chap::kSuccess, kPassedText);
  }
  return true;
}

void AuthServer::Answer(uint8_t code, std::string_view text) {
  last_answer_ = method_ == AuthMethod::kPap
                     ? EmitControl(wire::ppp::kPap, code, identifier_, pap::EmitReply(text))
                     : EmitControl(wire::ppp::kChap, code, identifier_, AsOctets(text));
  owner_->SendAuth(last_answer_);
}

// FailureText is the same whatever was wrong, so that nobody learns which users there are.
// RFC 2433 s5 and RFC 2759 s6: E=691 authentication failure, R=0 no retry, C a new challenge.
std::string AuthServer::FailureText() const {
  if (method_ == AuthMethod::kPap || method_ == AuthMethod::kChapMd5) {
    return std::string(kFailedText);
  }
  std::vector<uint8_t> challenge(ChallengeLen(method_));
  random_(challenge);
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string hex;
  for (uint8_t octet : challenge) {
    hex += kDigits[octet >> 4];
    hex += kDigits[octet & 0xf];
  }
  return "E=691 R=0 C=" + hex + " V=3 M=" + std::string(kFailedText);
}

}  // namespace culvert::ppp
