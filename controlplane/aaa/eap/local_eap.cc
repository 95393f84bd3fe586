#include "controlplane/aaa/eap/local_eap.h"

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <iterator>

#include "controlplane/aaa/verify.h"
#include "proto/wire/auth.h"

namespace culvert::eap {

namespace wire_eap = wire::eap;
namespace chap = wire::chap;
namespace mschapv2 = wire::eap::mschapv2;
using Stage = Conversation::Stage;

namespace {

constexpr size_t kMaxNameLen = 255;

template <size_t N>
std::array<uint8_t, N> Copy(std::span<const uint8_t> octets) {
  std::array<uint8_t, N> out{};
  std::copy_n(octets.begin(), std::min(N, octets.size()), out.begin());
  return out;
}

wire::Octets AsOctets(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Ask answers with the next Request.
AuthResult Ask(const wire_eap::Packet& to, std::span<const uint8_t> data,
               const Conversation& conversation) {
  AuthResult result;
  result.verdict = AuthVerdict::kChallenge;
  result.eap = wire_eap::Emit({.code = wire_eap::kRequest,
                               .identifier = static_cast<uint8_t>(to.identifier + 1),
                               .type = static_cast<uint8_t>(conversation.method),
                               .data = data});
  result.state = conversation.Emit();
  return result;
}

AuthResult End(const wire_eap::Packet& to, AuthVerdict verdict, std::string_view reason) {
  const bool accepted = verdict == AuthVerdict::kAccept;
  AuthResult result;
  result.verdict = verdict;
  result.reject_reason = reason;
  result.eap = wire_eap::Emit({.code = accepted ? wire_eap::kSuccess : wire_eap::kFailure,
                               .identifier = to.identifier,
                               .type = 0,
                               .data = {}});
  return result;
}

AuthResult Reject(const wire_eap::Packet& to, std::string_view reason) {
  return End(to, AuthVerdict::kReject, reason);
}

constexpr std::string_view kExpired = "the password has expired";

// RFC 2759 s6.
constexpr uint32_t kPasswordExpired = 648, kAuthenticationFailure = 691;
constexpr uint32_t kPatienceS = 30;  // somebody types a new password

const char* FailureMessage(uint32_t code) {
  return code == kPasswordExpired         ? "Password expired"
         : code == kAuthenticationFailure ? "Authentication failure"
                                          : "The password was not changed";
}

// Change is a Response that changes a password, in parts that borrow the request's octets.
struct Change {
  wire_eap::Packet packet;
  mschapv2::Message message;
  chap::ChangePassword fields;
  Conversation conversation;
};

std::optional<Change> ParseChange(const AuthRequest& request) {
  const auto* exchange = std::get_if<EapExchange>(&request.exchange);
  const auto packet = wire_eap::Parse(exchange != nullptr ? exchange->packet : wire::Octets());
  auto conversation = Conversation::Parse(request.state);
  if (!packet || packet->code != wire_eap::kResponse || packet->type != wire_eap::kMsChapV2 ||
      !conversation || conversation->stage != Stage::kExpired) {
    return std::nullopt;
  }
  const auto message = mschapv2::Parse(packet->data);
  if (!message || message->op_code != mschapv2::kChangePassword) {
    return std::nullopt;
  }
  const auto fields = chap::ParseChangePassword(message->data);
  if (!fields) {
    return std::nullopt;
  }
  return Change{*packet, *message, *fields, *std::move(conversation)};
}

Verdict VerifyMsChapV2(const User& user, const Conversation& conversation) {
  AuthRequest question;
  question.user = conversation.name;
  question.exchange = MsChapV2Exchange{.identifier = conversation.ms_identifier,
                                       .challenge = conversation.challenge,
                                       .peer_challenge = conversation.peer_challenge,
                                       .nt_response = conversation.nt_response};
  return Verify(user, question);
}

}  // namespace

LocalEap::LocalEap(Settings settings, Random random)
    : settings_(std::move(settings)), random_(std::move(random)) {}

AuthResult LocalEap::Answer(const AuthRequest& request, const User& user) const {
  const auto* exchange = std::get_if<EapExchange>(&request.exchange);
  const auto packet = wire_eap::Parse(exchange != nullptr ? exchange->packet : wire::Octets());
  if (!packet || packet->code != wire_eap::kResponse) {
    return Reject(wire_eap::Packet{}, "no EAP Response");
  }
  if (request.state.empty()) {
    return packet->type == wire_eap::kIdentity ? Offer(user, *packet, {})
                                               : Reject(*packet, "EAP without an identity");
  }
  const std::optional<Conversation> conversation = Conversation::Parse(request.state);
  if (!conversation) {
    return Reject(*packet, "an EAP conversation that nobody had begun");
  }
  // RFC 3748 s5.3.1: a Nak is for the first Request of a method.
  if (packet->type == wire_eap::kNak && conversation->stage == Stage::kOffered) {
    return Offer(user, *packet, *conversation);
  }
  if (packet->type != static_cast<uint8_t>(conversation->method)) {
    return Reject(*packet, "an EAP Response of another method");
  }
  return conversation->method == Method::kMd5 ? OnMd5(user, *packet, *conversation)
                                              : OnMsChapV2(user, *packet, *conversation);
}

// Offer begins the next method that was not tried and, after a Nak, that the client wants.
AuthResult LocalEap::Offer(const User& user, const Packet& packet,
                           Conversation conversation) const {
  const auto wants = [&](Method method) {
    return packet.type != wire_eap::kNak ||
           std::find(packet.data.begin(), packet.data.end(), static_cast<uint8_t>(method)) !=
               packet.data.end();
  };
  for (size_t i = 0; i < settings_.methods.size(); ++i) {
    const Method method = settings_.methods[i];
    const bool possible = method != Method::kMd5 || !user.password.empty();
    if ((conversation.tried >> i & 1) != 0 || !possible || !wants(method)) {
      continue;
    }
    conversation.tried |= 1u << i;
    conversation.method = method;
    conversation.ms_identifier = static_cast<uint8_t>(packet.identifier + 1);
    random_(conversation.challenge);
    const std::vector<uint8_t> value =
        chap::EmitValue({.value = conversation.challenge, .name = settings_.server_name});
    if (method == Method::kMd5) {
      return Ask(packet, value, conversation);
    }
    return Ask(packet,
               mschapv2::Emit({.op_code = mschapv2::kChallenge,
                               .identifier = conversation.ms_identifier,
                               .data = value}),
               conversation);
  }
  return Reject(packet, "no EAP method in common");
}

AuthResult LocalEap::OnMd5(const User& user, const Packet& packet,
                           const Conversation& conversation) const {
  const auto value = chap::ParseValue(packet.data);
  if (!value || value->value.size() != 16) {
    return Reject(packet, "a malformed EAP-MD5 Response");
  }
  AuthRequest question;
  question.exchange =
      ChapMd5Exchange{.identifier = packet.identifier,
                      .challenge = {conversation.challenge.begin(), conversation.challenge.end()},
                      .response = Copy<16>(value->value)};
  const Verdict verdict = Verify(user, question);
  if (verdict.accepted && user.expired) {
    AuthResult result = Reject(packet, kExpired);
    result.unjudged = true;
    return result;
  }
  return verdict.accepted ? End(packet, AuthVerdict::kAccept, "") : Reject(packet, verdict.reason);
}

AuthResult LocalEap::OnMsChapV2(const User& user, const Packet& packet,
                                Conversation conversation) const {
  const auto message = mschapv2::Parse(packet.data);
  if (!message) {
    return Reject(packet, "a malformed EAP-MSCHAPv2 message");
  }
  const bool waits_for_response =
      conversation.stage == Stage::kOffered || conversation.stage == Stage::kRetrying;
  if (waits_for_response && message->op_code == mschapv2::kResponse) {
    return OnResponse(user, packet, *message, std::move(conversation));
  }
  if (conversation.stage == Stage::kSucceeded && message->op_code == mschapv2::kSuccess) {
    // Judged once more: the keys come of it, and the user may have been changed meanwhile.
    Verdict verdict = VerifyMsChapV2(user, conversation);
    if (!verdict.accepted) {
      return Reject(packet, verdict.reason);
    }
    AuthResult result = End(packet, AuthVerdict::kAccept, "");
    result.keys = std::move(verdict.keys);
    return result;
  }
  AuthResult result = Reject(packet, conversation.stage == Stage::kSucceeded
                                         ? "the client does not believe that we know the password"
                                     : user.expired ? kExpired
                                                    : "wrong password");
  // It was counted when it was told.
  result.unjudged = conversation.stage == Stage::kFailed || conversation.stage == Stage::kExpired;
  return result;
}

AuthResult LocalEap::OnResponse(const User& user, const Packet& packet, const Message& message,
                                Conversation conversation) const {
  const auto value = chap::ParseValue(message.data);
  const auto response = value ? chap::ParseMsChapV2Response(value->value)
                              : tl::unexpected(wire::AuthError::kTruncated);
  if (!response || value->name.size() > kMaxNameLen) {
    return Reject(packet, "a malformed EAP-MSCHAPv2 Response");
  }
  conversation.peer_challenge = Copy<16>(response->peer_challenge);
  conversation.nt_response = Copy<24>(response->nt_response);
  conversation.name = value->name;
  conversation.ms_identifier = message.identifier;
  const Verdict verdict = VerifyMsChapV2(user, conversation);
  if (!verdict.accepted) {
    AuthResult result = Fail(packet, std::move(conversation), kAuthenticationFailure);
    result.reject_reason = verdict.reason;
    return result;
  }
  if (user.expired) {  // who knows the password is no guesser
    return Fail(packet, std::move(conversation), kPasswordExpired);
  }
  conversation.stage = Stage::kSucceeded;
  const std::string text = verdict.authenticator_response + " M=Access granted";
  return Ask(packet,
             mschapv2::Emit({.op_code = mschapv2::kSuccess,
                             .identifier = conversation.ms_identifier,
                             .data = AsOctets(text)}),
             conversation);
}

AuthResult LocalEap::Fail(const Packet& packet, Conversation conversation, uint32_t code) const {
  const bool retry = code == kAuthenticationFailure && conversation.stage != Stage::kExpired &&
                     conversation.retries < settings_.retries;
  conversation.stage = retry                      ? Stage::kRetrying
                       : code == kPasswordExpired ? Stage::kExpired
                                                  : Stage::kFailed;
  ++conversation.retries;
  random_(conversation.challenge);
  const absl::string_view challenge(reinterpret_cast<const char*>(conversation.challenge.data()),
                                    conversation.challenge.size());
  const std::string text =
      absl::StrCat("E=", code, " R=", retry ? 1 : 0,
                   " C=", absl::AsciiStrToUpper(absl::BytesToHexString(challenge)),
                   " V=3 M=", FailureMessage(code));
  AuthResult result = Ask(packet,
                          mschapv2::Emit({.op_code = mschapv2::kFailure,
                                          .identifier = conversation.ms_identifier,
                                          .data = AsOctets(text)}),
                          conversation);
  if (code == kPasswordExpired) {
    result.grants.session_timeout_s = kPatienceS;  // for the answer (RFC 3579 s2.3)
  }
  return result;
}

std::optional<AuthRequest> LocalEap::ChangeOf(const AuthRequest& request) {
  std::optional<Change> change = ParseChange(request);
  if (!change) {
    return std::nullopt;
  }
  AuthRequest question;
  question.call = request.call;
  question.user = std::move(change->conversation.name);
  question.exchange =
      MsChapV2ChangeExchange{.identifier = change->message.identifier,
                             .challenge = change->conversation.challenge,
                             .encrypted_password = Copy<516>(change->fields.encrypted_password),
                             .encrypted_hash = Copy<16>(change->fields.encrypted_hash),
                             .peer_challenge = Copy<16>(change->fields.peer_challenge),
                             .nt_response = Copy<24>(change->fields.nt_response),
                             .flags = change->fields.flags};
  return question;
}

AuthResult LocalEap::AnswerChange(const AuthRequest& request, AuthResult judged) const {
  std::optional<Change> change = ParseChange(request);
  if (!change) {
    return Reject(wire_eap::Packet{}, "no Change-Password");
  }
  Conversation& conversation = change->conversation;
  conversation.ms_identifier = change->message.identifier;
  AuthResult result;
  if (judged.verdict == AuthVerdict::kAccept) {
    conversation.stage = Stage::kSucceeded;
    conversation.peer_challenge = Copy<16>(change->fields.peer_challenge);
    conversation.nt_response = Copy<24>(change->fields.nt_response);
    const std::string text = judged.authenticator_response + " M=Password changed";
    result = Ask(change->packet,
                 mschapv2::Emit({.op_code = mschapv2::kSuccess,
                                 .identifier = conversation.ms_identifier,
                                 .data = AsOctets(text)}),
                 conversation);
  } else {
    result =
        Fail(change->packet, std::move(conversation),
             judged.mschap_failure.value_or(MsChapFailure{.challenge = {}, .message = {}}).code);
    if (!judged.unjudged) {  // a guess
      result.reject_reason = std::move(judged.reject_reason);
    }
  }
  result.user = std::move(judged.user);
  return result;
}

}  // namespace culvert::eap
