// EAP (RFC 3748) with MD5-Challenge and MSCHAPv2.
#include "proto/wire/eap.h"

#include <fmt/format.h>

#include "tools/load/conformance/cases/change_password.h"
#include "tools/load/conformance/cases/option_bytes.h"

namespace culvert::load::conformance {

namespace pp = wire::ppp;
namespace eap = wire::eap;

namespace {

Result LogsIn(Session& s, uint8_t type) {
  s.ppp.method = AuthMethod::kEap;
  s.ppp.eap_type = type;
  s.ppp.habits.start_network = s.ppp.habits.answer_network = false;
  (void)s.Authenticate();
  if (s.ppp.authenticated) {
    return Holds{type != eap::kMsChapV2 || s.ppp.proof_ok, "accepted"};
  }
  return Departs("this type is not offered: " + s.ppp.Summary(0), "servers without it");
}

Result WrongPassword(Session& s, uint8_t type) {
  s.ppp.password = s.target().wrong_password;
  s.ppp.method = AuthMethod::kEap;
  s.ppp.eap_type = type;
  s.ppp.habits.start_network = s.ppp.habits.answer_network = false;
  (void)s.Authenticate();
  if (s.ppp.authenticated) {
    return Violates("accepted");
  }
  return s.Ended(10'000) ? Fine((s.ppp.refusal ? "Failure" : "no Failure") +
                                std::string(", and the link is ended"))
                         : Violates("the link stays");
}

// ToIdentity: the server's first Request is here, unanswered.
std::optional<PppPacket> ToIdentity(Session& s) {
  s.ppp.method = AuthMethod::kEap;
  s.ppp.habits.authenticate = false;
  s.ppp.habits.start_network = s.ppp.habits.answer_network = false;
  if (!s.OpenLcp()) {
    return std::nullopt;
  }
  s.ppp.mark = 0;
  return s.AwaitPpp(pp::kEap, eap::kRequest);
}

Result IdentityFirst(Session& s) {
  const auto request = ToIdentity(s);
  if (!request || request->data.empty()) {
    return Violates(s.HeardPpp());
  }
  const std::string text = fmt::format("Request of type {}", request->data[0]);
  return request->data[0] == eap::kIdentity ? Fine(text)
                                            : Departs(text, "servers that know the name");
}

Result Repeats(Session& s) {
  const auto request = ToIdentity(s);
  if (!request) {
    return s.Broken();
  }
  const auto again = s.AwaitPpp(pp::kEap, eap::kRequest, 10'000);
  return Judge{again && again->identifier == request->identifier && again->data == request->data,
               again ? "the same Request with the same identifier" : s.HeardPpp()};
}

Result OtherIdentifier(Session& s) {
  const auto request = ToIdentity(s);
  if (!request) {
    return s.Broken();
  }
  s.Forget();
  Bytes data = {eap::kIdentity};
  data.insert(data.end(), s.target().user.begin(), s.target().user.end());
  s.ppp.SendControl(pp::kEap, eap::kResponse, request->identifier ^ 0x22, data);
  const auto next = s.AwaitPpp(
      [&](const PppPacket& p) {
        return p.protocol == pp::kEap && p.identifier != request->identifier;
      },
      s.target().quiet_ms);
  return Judge{!next, next ? Describe(*next) : "discarded"};
}

Result NakForNothing(Session& s) {
  const auto identity = ToIdentity(s);
  if (!identity) {
    return s.Broken();
  }
  Bytes data = {eap::kIdentity};
  data.insert(data.end(), s.target().user.begin(), s.target().user.end());
  s.Forget();
  s.ppp.SendControl(pp::kEap, eap::kResponse, identity->identifier, data);
  const auto method = s.AwaitPpp(pp::kEap, eap::kRequest);
  if (!method) {
    return Violates(s.HeardPpp());
  }
  s.ppp.SendControl(pp::kEap, eap::kResponse, method->identifier, Bytes{eap::kNak, 0});
  const bool ended = s.Ended(10'000);
  return Judge{ended || s.ppp.refusal, ended ? "an end" : s.HeardPpp()};
}

Result Bad(Session& s, const Bytes& information) {
  if (!ToIdentity(s)) {
    return s.Broken();
  }
  s.Forget();
  s.ppp.Send(Join({{0xc2, 0x27}, information}));
  const auto success = s.AwaitPpp(pp::kEap, eap::kSuccess, s.target().quiet_ms);
  return Judge{!success && s.ServerAlive(), s.HeardPpp()};
}

constexpr uint32_t kEapUser = kUser | kEap;

constexpr Case kCases[] = {
    {"eap/identity-first", "RFC 3748 s2", "nothing", "Request Identity", kEapUser, 0,
     IdentityFirst},
    {"eap/md5", "RFC 3748 s5.4", "MD5-Challenge with the right password", "Success", kEapUser, 0,
     [](Session& s) { return LogsIn(s, eap::kMd5Challenge); }},
    {"eap/mschapv2", "RFC 3748 s5", "MSCHAPv2 with the right password", "Success", kEapUser, 0,
     [](Session& s) { return LogsIn(s, eap::kMsChapV2); }},
    {"eap/mschapv2-change-password", "RFC 2759 s7",
     "Change-Password in EAP when the password has expired",
     "Success with the new password's proof; then the new password logs in", kEap | kExpiredEap, 0,
     [](Session& s) { return ChangeAndLogIn(s, AuthMethod::kEap, s.target().expired_eap_user); }},
    {"eap/md5-wrong-password", "RFC 3748 s4.2", "a wrong password",
     "Failure, and the end of the link", kEapUser, 0,
     [](Session& s) { return WrongPassword(s, eap::kMd5Challenge); }},
    {"eap/mschapv2-wrong-password", "RFC 3748 s4.2", "a wrong password",
     "Failure, and the end of the link", kEapUser, 0,
     [](Session& s) { return WrongPassword(s, eap::kMsChapV2); }},
    {"eap/request-repeated", "RFC 3748 s4.1", "no response", "the same Request again", kEapUser, 10,
     Repeats},
    {"eap/other-identifier", "RFC 3748 s4.1", "a Response with another identifier",
     "silently discarded", kEapUser, 0, OtherIdentifier},
    {"eap/nak-for-nothing", "RFC 3748 s5.3.1", "a Nak that wants no type", "an end", kEapUser, 0,
     NakForNothing},
    {"eap/response-short", "RFC 3748 s4.1", "a Response without a type", "silently discarded",
     kEapUser, 0,
     [](Session& s) {
       return Bad(s, {2, 1, 0, 4});
     }},
    {"eap/length-beyond", "RFC 3748 s4.1", "a length beyond the packet", "silently discarded",
     kEapUser, 0,
     [](Session& s) {
       return Bad(s, {2, 1, 3, 0, 1, 'a'});
     }},
    {"eap/success-from-client", "RFC 3748 s4.2", "Success, which is the server's",
     "silently discarded", kEapUser, 0,
     [](Session& s) {
       return Bad(s, {3, 1, 0, 4});
     }},
};

}  // namespace

std::span<const Case> EapCases() { return kCases; }

}  // namespace culvert::load::conformance
