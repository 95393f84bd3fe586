#include "controlplane/radius/login/access_reply.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>

#include "controlplane/logging/log_limit.h"
#include "controlplane/logging/printable.h"
#include "controlplane/radius/login/grants.h"
#include "controlplane/radius/login/mppe.h"

namespace culvert::radius {

namespace {

constexpr size_t kMsChap2SuccessLen = 42;  // "S=" and 40 hexadecimal digits
constexpr uint8_t kEapSuccess = 3, kEapFailure = 4;

bool IsHex(std::string_view text) {
  return text.find_first_not_of("0123456789ABCDEFabcdef") == std::string_view::npos;
}

std::string ReplyMessage(const Packet& packet) {
  const std::vector<uint8_t> joined = packet.Join(attr::kReplyMessage);
  return std::string(TextOf(joined));
}

// Reject: for what no user has done, so that it does not count against one.
AuthResult Reject(std::string reason) {
  AuthResult result;
  result.source = AuthSource::kRadius;
  result.unjudged = true;
  result.reject_reason = std::move(reason);
  return result;
}

// IdentifierOf: that of the exchange, which MS-CHAP2-Success repeats.
std::optional<uint8_t> MsChapV2Identifier(const AuthExchange& exchange) {
  if (const auto* plain = std::get_if<MsChapV2Exchange>(&exchange)) {
    return plain->identifier;
  }
  if (const auto* change = std::get_if<MsChapV2ChangeExchange>(&exchange)) {
    return change->identifier;
  }
  return std::nullopt;
}

// AuthenticatorResponse: empty when there is none that the client would take.
std::string AuthenticatorResponse(const Packet& accept, uint8_t identifier) {
  const Attribute* const success = accept.Find(attr::kMsChap2Success);
  if (success == nullptr || success->value.size() < 1 + kMsChap2SuccessLen ||
      success->value[0] != identifier) {
    return {};
  }
  const std::string_view text = TextOf(success->value.subspan(1)).substr(0, kMsChap2SuccessLen);
  return text.starts_with("S=") && IsHex(text.substr(2)) ? std::string(text) : std::string();
}

void WarnOddTypes() {
  static LogLimit limit{std::chrono::seconds(60)};
  if (std::optional<uint64_t> left_out = limit.Admit()) {
    spdlog::warn(
        "radius: MS-MPPE-Encryption-Types names none of 40 (2), 56 (8) and 128 bit (4); 128 bit "
        "is taken ({} more since the last such line)",
        *left_out);
  }
}

AuthResult ReadAccept(const Packet& packet, const Answer& answer, const AuthRequest& request) {
  auto grants = ReadGrants(packet);
  if (!grants) {
    return Reject(std::move(grants.error()));
  }
  auto mppe =
      ReadMppe(packet, request.exchange, answer.secret->octets(), answer.request_authenticator);
  if (!mppe) {
    return Reject(std::move(mppe.error()));
  }
  AuthResult result;
  if (const auto identifier = MsChapV2Identifier(request.exchange)) {
    result.authenticator_response = AuthenticatorResponse(packet, *identifier);
    if (result.authenticator_response.empty()) {
      return Reject("the Access-Accept has no right MS-CHAP2-Success");
    }
  }
  if (mppe->odd_types) {
    WarnOddTypes();
  }
  result.verdict = AuthVerdict::kAccept;
  result.source = AuthSource::kRadius;
  result.grants = std::move(*grants);
  result.grants.mppe = mppe->policy;
  result.grants.mppe_strengths = mppe->strengths;
  result.keys = std::move(mppe->keys);
  // RFC 2865 s5.1: the name in the Accept is the one for accounting.
  const Attribute* const name = packet.Find(attr::kUserName);
  result.user = name != nullptr ? std::string(TextOf(name->value)) : request.user;
  return result;
}

AuthResult ReadReject(const Packet& packet, const AuthRequest& request) {
  AuthResult result = Reject("rejected by RADIUS");
  result.unjudged = false;
  result.user = request.user;
  if (const Attribute* error = packet.Find(attr::kMsChapError);
      error != nullptr && !error->value.empty()) {
    std::string_view text = TextOf(error->value);
    // Some servers leave the identifier out.
    result.mschap_failure = ParseMsChapError(text.starts_with("E=") ? text : text.substr(1));
  }
  if (result.mschap_failure) {
    result.reject_reason += fmt::format(": E={}", result.mschap_failure->code);
  }
  return result;
}

// ReadChallenge: only EAP goes on; others count as rejected (RFC 2865 s4.4).
AuthResult ReadChallenge(const Packet& packet, const Answer& answer, const AuthRequest& request) {
  if (request.method() != AuthMethod::kEap || packet.Find(attr::kEapMessage) == nullptr) {
    return Reject("RADIUS wants more rounds than this method has");
  }
  AuthResult result;
  result.verdict = AuthVerdict::kChallenge;
  result.source = AuthSource::kRadius;
  result.state = {static_cast<uint8_t>(answer.server)};
  if (const Attribute* state = packet.Find(attr::kState)) {
    result.state.insert(result.state.end(), state->value.begin(), state->value.end());
  }
  return result;
}

// TakeEap: the packet for the client, when it fits what the server decided (RFC 3579 s2.6.3): the
// code of RADIUS counts.
void TakeEap(const Packet& packet, AuthResult& result) {
  std::vector<uint8_t> eap = packet.Join(attr::kEapMessage);
  if (eap.empty()) {
    return;
  }
  const bool contradicts = (result.verdict == AuthVerdict::kAccept && eap[0] == kEapFailure) ||
                           (result.verdict == AuthVerdict::kReject && eap[0] == kEapSuccess);
  if (!contradicts) {
    result.eap = std::move(eap);
  }
}

bool ParseCode(std::string_view text, uint32_t& code) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
  return error == std::errc() && end == text.data() + text.size();
}

// FromHex: `text` is pairs of hexadecimal digits.
std::vector<uint8_t> FromHex(std::string_view text) {
  std::vector<uint8_t> octets(text.size() / 2);
  for (size_t i = 0; i < octets.size(); ++i) {
    std::from_chars(text.data() + 2 * i, text.data() + 2 * i + 2, octets[i], 16);
  }
  return octets;
}

// TakeWord gives what follows `key`, up to a space or, of the last one, to the end.
std::optional<std::string_view> TakeWord(std::string_view text, std::string_view key) {
  const bool is_first = text.starts_with(key);
  const size_t at = is_first ? 0 : text.find(fmt::format(" {}", key));
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view rest = text.substr(at + (is_first ? 0 : 1) + key.size());
  return key == "M=" ? rest : rest.substr(0, rest.find(' '));
}

}  // namespace

std::optional<MsChapFailure> ParseMsChapError(std::string_view text) {
  // M= is the last, and may hold anything.
  const size_t message_at = std::min(text.find(" M="), text.size());
  const std::string_view front = text.substr(0, message_at);
  MsChapFailure failure;
  const auto code = TakeWord(front, "E=");
  if (!code || !ParseCode(*code, failure.code)) {
    return std::nullopt;
  }
  failure.retry = TakeWord(front, "R=") == "1";
  if (const auto challenge = TakeWord(front, "C=");
      challenge && IsHex(*challenge) && (challenge->size() == 32 || challenge->size() == 16)) {
    failure.challenge = FromHex(*challenge);
  }
  if (const auto message = TakeWord(text.substr(message_at), "M=")) {
    failure.message = Printable(*message);
  }
  return failure;
}

AuthResult ReadAnswer(const Answer& answer, const AuthRequest& request) {
  if (answer.outcome != Outcome::kAnswered) {
    AuthResult result = Reject(std::string(OutcomeText(answer.outcome)));
    result.unknown_user = true;
    return result;
  }
  const auto packet = Parse(answer.packet);
  if (!packet) {
    return Reject("the answer of RADIUS is malformed");
  }
  AuthResult result;
  switch (packet->code) {
    case Code::kAccessAccept:
      result = ReadAccept(*packet, answer, request);
      break;
    case Code::kAccessChallenge:
      result = ReadChallenge(*packet, answer, request);
      break;
    default:
      result = ReadReject(*packet, request);
      break;
  }
  result.reply_message = Printable(ReplyMessage(*packet));
  TakeEap(*packet, result);
  return result;
}

}  // namespace culvert::radius
