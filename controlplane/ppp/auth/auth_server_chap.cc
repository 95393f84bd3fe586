// PAP, CHAP, MS-CHAP and MS-CHAPv2 as authenticator.
#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include <algorithm>

#include "controlplane/ppp/auth/auth_server.h"
#include "proto/wire/auth.h"

namespace culvert::ppp {

namespace chap = wire::chap;
namespace pap = wire::pap;
using wire::ppp::ControlPacket;
using wire::ppp::EmitControl;

namespace {

// Somebody types a password.
constexpr uint64_t kMaxRetryMs = 60'000;
constexpr size_t kMaxMessageLen = 128;
constexpr std::string_view kPassedText = "Access granted";
constexpr std::string_view kFailedText = "Authentication failure";

// RFC 2433 s5, RFC 2759 s6.
constexpr uint32_t kErrorPasswordExpired = 648;
constexpr uint32_t kErrorAuthenticationFailure = 691;

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

bool IsMsChap(AuthMethod method) {
  return method == AuthMethod::kMsChap || method == AuthMethod::kMsChapV2;
}

// Message: AAA's text, in one line that fits a packet, or ours.
std::string Message(std::string_view theirs, std::string_view ours) {
  std::string text(theirs.substr(0, kMaxMessageLen));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c >= 0 && c < 0x20; }, ' ');
  return text.empty() ? std::string(ours) : text;
}

uint32_t ErrorCode(const AuthResult& result) {
  return result.mschap_failure ? result.mschap_failure->code : kErrorAuthenticationFailure;
}

}  // namespace

void AuthServer::StartChap(uint64_t now_ms) {
  challenge_.resize(ChallengeLen(method_));
  random_(challenge_);
  num_sent_ = 0;
  request_ = EmitControl(wire::ppp::kChap, chap::kChallenge, identifier_,
                         chap::EmitValue({.value = challenge_, .name = settings_.server_name}));
  SendRequest(now_ms);
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
    counters_->bad_identifiers += IsRepeated(packet.identifier) ? 0 : 1;
    return;
  }
  user_ = request->peer_id;
  identifier_ = packet.identifier;
  AskFor(PapExchange{.password = Secret(AsOctets(request->password))});
}

void AuthServer::OnChap(const ControlPacket& packet) {
  const bool is_change = packet.code == chap::kChangePassword && may_change_password_;
  if (packet.code != chap::kResponse && !is_change) {
    ++counters_->unknown_codes;
    return;
  }
  if (IsRepeated(packet.identifier)) {
    return;
  }
  if (packet.identifier != identifier_ || stage_ != Stage::kWaiting) {
    ++counters_->bad_identifiers;
    return;
  }
  std::optional<AuthExchange> exchange = is_change ? ChangeExchange(packet) : ChapExchange(packet);
  if (!exchange) {
    ++counters_->malformed_packets;
    return;
  }
  asked_for_change_ = is_change;
  AskFor(std::move(*exchange));
}

// ChapExchange gives what the Response says, in the form of its method; nullopt: malformed.
std::optional<AuthExchange> AuthServer::ChapExchange(const ControlPacket& packet) {
  const auto response = chap::ParseValue(packet.data);
  if (!response) {
    return std::nullopt;
  }
  if (method_ == AuthMethod::kChapMd5) {
    if (response->value.size() != 16) {
      return std::nullopt;
    }
    user_ = response->name;
    return ChapMd5Exchange{.identifier = packet.identifier,
                           .challenge = challenge_,
                           .response = Copy<16>(response->value)};
  }
  if (response->value.size() != chap::kMsChapResponseLen) {
    return std::nullopt;
  }
  user_ = response->name;
  if (method_ == AuthMethod::kMsChap) {
    const auto value = chap::ParseMsChapResponse(response->value);
    return MsChapExchange{.identifier = packet.identifier,
                          .challenge = Copy<8>(challenge_),
                          .lm_response = Copy<24>(value->lm_response),
                          .nt_response = Copy<24>(value->nt_response),
                          .flags = value->flags};
  }
  const auto value = chap::ParseMsChapV2Response(response->value);
  return MsChapV2Exchange{.identifier = packet.identifier,
                          .challenge = Copy<16>(challenge_),
                          .peer_challenge = Copy<16>(value->peer_challenge),
                          .nt_response = Copy<24>(value->nt_response)};
}

// ChangeExchange: the user is the one of the Response before (RFC 2759 s7 has no name).
std::optional<AuthExchange> AuthServer::ChangeExchange(const ControlPacket& packet) const {
  const auto change = chap::ParseChangePassword(packet.data);
  if (!change) {
    return std::nullopt;
  }
  return MsChapV2ChangeExchange{.identifier = packet.identifier,
                                .challenge = Copy<16>(challenge_),
                                .encrypted_password = Copy<516>(change->encrypted_password),
                                .encrypted_hash = Copy<16>(change->encrypted_hash),
                                .peer_challenge = Copy<16>(change->peer_challenge),
                                .nt_response = Copy<24>(change->nt_response),
                                .flags = change->flags};
}

void AuthServer::AnswerPap(const AuthResult& result) {
  const bool passed = stage_ == Stage::kPassed;
  const std::string text = Message(result.reply_message, passed ? "" : kFailedText);
  Answer(EmitControl(wire::ppp::kPap, passed ? pap::kAck : pap::kNak, identifier_,
                     pap::EmitReply(text)));
}

void AuthServer::AnswerChap(const AuthResult& result) {
  const bool passed = stage_ == Stage::kPassed;
  std::string text = Message(result.reply_message, kPassedText);
  if (!passed) {
    text = FailureText(result);
  } else if (method_ == AuthMethod::kMsChapV2) {
    // One blank before M=, nothing else: pppd takes no other form (RFC 2759 s5).
    text = result.authenticator_response + " M=" + text;
  }
  Answer(EmitControl(wire::ppp::kChap, passed ? chap::kSuccess : chap::kFailure, identifier_,
                     AsOctets(text)));
}

// FailureText is the same whatever was wrong, so that nobody learns which users there are, but
// for what AAA wants said. RFC 2433 s5 and RFC 2759 s6: E the error, R=1 retry, C a challenge.
std::string AuthServer::FailureText(const AuthResult& result) {
  const MsChapFailure failure = result.mschap_failure.value_or(MsChapFailure{});
  const std::string message = Message(failure.message, Message(result.reply_message, kFailedText));
  if (!IsMsChap(method_)) {
    return message;
  }
  std::vector<uint8_t> challenge = failure.challenge;
  if (challenge.size() != ChallengeLen(method_)) {
    challenge.resize(ChallengeLen(method_));
    random_(challenge);
  }
  challenge_ = challenge;
  const std::string hex =
      absl::BytesToHexString({reinterpret_cast<const char*>(challenge.data()), challenge.size()});
  // With E=648 the client may only change its password: nothing to retry.
  const bool retry = stage_ == Stage::kWaiting && failure.code != kErrorPasswordExpired;
  std::string text = absl::StrCat("E=", failure.code, " R=", retry ? 1 : 0, " C=", hex, " V=3 M=");
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 0x20) : c; });
  return text + message;
}

// MayRetry: as often as configured. AAA may refuse it (R=0), or let an expired password be
// changed, once: after Change-Password there is no retry (RFC 2759 s7).
bool AuthServer::MayRetry(const AuthResult& result) const {
  if (!IsMsChap(method_) || result.verdict != AuthVerdict::kReject || asked_for_change_) {
    return false;
  }
  if (ErrorCode(result) == kErrorPasswordExpired) {
    return method_ == AuthMethod::kMsChapV2 && !may_change_password_;
  }
  return ErrorCode(result) == kErrorAuthenticationFailure &&
         num_retries_ < settings_.auth_retries &&
         (!result.mschap_failure || result.mschap_failure->retry);
}

AuthServer::Outcome AuthServer::Retry(const AuthResult& result, uint64_t now_ms) {
  ++num_retries_;
  may_change_password_ = ErrorCode(result) == kErrorPasswordExpired;
  stage_ = Stage::kWaiting;
  end_deadline_ms_ = now_ms + kMaxRetryMs;
  Answer(EmitControl(wire::ppp::kChap, chap::kFailure, identifier_, AsOctets(FailureText(result))));
  ++identifier_;  // RFC 2759 s6, s7: the next packet of the peer has the following identifier
  return Outcome::kRetry;
}

}  // namespace culvert::ppp
