// MS-CHAP version 1 (RFC 2433) and 2 (RFC 2759).
#include <fmt/format.h>

#include <regex>

#include "proto/wire/auth.h"
#include "tools/load/conformance/cases/change_password.h"
#include "tools/load/conformance/cases/option_bytes.h"

namespace culvert::load::conformance {

namespace pp = wire::ppp;
namespace chap = wire::chap;

namespace {

std::string TextOf(const PppPacket& packet) { return {packet.data.begin(), packet.data.end()}; }

Result LogsIn(Session& s, AuthMethod method) {
  s.ppp.method = method;
  if (!s.Authenticate()) {
    return s.Broken();
  }
  if (method == AuthMethod::kMsChapV2 && !s.ppp.proof_ok) {
    return Violates("Success without the right proof (S=)");
  }
  return Fine("accepted");
}

// ToChallenge: LCP is open with `method`, and the server's challenge is here.
std::optional<PppPacket> ToChallenge(Session& s, AuthMethod method) {
  s.ppp.method = method;
  s.ppp.habits.authenticate = false;
  s.ppp.habits.start_network = s.ppp.habits.answer_network = false;
  if (!s.OpenLcp()) {
    return std::nullopt;
  }
  s.ppp.mark = 0;
  return s.AwaitPpp(pp::kChap, chap::kChallenge);
}

// Verdict of the server on a response: its Success or Failure.
std::optional<PppPacket> Respond(Session& s, const PppPacket& challenge, const Bytes& response,
                                 int ms = -1) {
  s.Forget();
  s.ppp.SendControl(pp::kChap, chap::kResponse, challenge.identifier, response);
  return s.AwaitPpp(
      [](const PppPacket& p) { return p.protocol == pp::kChap && p.code >= chap::kSuccess; }, ms);
}

Result ChallengeLength(Session& s, AuthMethod method, size_t len) {
  const auto challenge = ToChallenge(s, method);
  const auto value =
      challenge ? chap::ParseValue(challenge->data) : tl::unexpected(wire::AuthError::kTruncated);
  return Judge{value && value->value.size() == len,
               value ? fmt::format("{} octets", value->value.size()) : "no challenge"};
}

Result SuccessText(Session& s) {
  const auto challenge = ToChallenge(s, AuthMethod::kMsChapV2);
  if (!challenge) {
    return s.Broken();
  }
  const auto success =
      Respond(s, *challenge, s.ppp.ChapResponse(*challenge, s.target().user, s.target().password));
  if (!success || success->code != chap::kSuccess) {
    return Violates(s.HeardPpp());
  }
  static const std::regex kForm("S=[0-9A-F]{40}( M=.*)?");
  const std::string text = TextOf(*success);
  return Judge{std::regex_match(text, kForm) && s.ppp.proof_ok, text};
}

Result FailureText(Session& s, AuthMethod method, bool wrong_user) {
  const auto challenge = ToChallenge(s, method);
  if (!challenge) {
    return s.Broken();
  }
  const auto failure =
      Respond(s, *challenge,
              s.ppp.ChapResponse(*challenge, wrong_user ? s.target().wrong_user : s.target().user,
                                 s.target().wrong_password));
  if (!failure || failure->code != chap::kFailure) {
    return Violates(s.HeardPpp());
  }
  static const std::regex kForm2("E=[0-9]{1,10} R=[01] C=[0-9a-fA-F]{32} V=[0-9]+( M=.*)?");
  static const std::regex kForm1("E=[0-9]{1,10} R=[01]( C=[0-9a-fA-F]{16})?( V=[0-9]+)?.*");
  const std::string text = TextOf(*failure);
  const bool right = std::regex_match(text, method == AuthMethod::kMsChapV2 ? kForm2 : kForm1);
  const bool ended = text.find("R=0") == std::string::npos || s.Ended(10'000);
  if (!right && std::regex_match(text, kForm1)) {
    return Departs(text, "servers that leave out C=");
  }
  return Judge{right && ended, text + (ended ? "" : ", and the link stays")};
}

Result Repeated(Session& s) {
  const auto challenge = ToChallenge(s, AuthMethod::kMsChapV2);
  if (!challenge) {
    return s.Broken();
  }
  const Bytes response = s.ppp.ChapResponse(*challenge, s.target().user, s.target().password);
  const auto first = Respond(s, *challenge, response);
  const auto second = Respond(s, *challenge, response);
  return Judge{first && second && second->code == chap::kSuccess && first->data == second->data,
               second ? "Success again" : "not answered again"};
}

Result OtherIdentifier(Session& s) {
  auto challenge = ToChallenge(s, AuthMethod::kMsChapV2);
  if (!challenge) {
    return s.Broken();
  }
  const Bytes response = s.ppp.ChapResponse(*challenge, s.target().user, s.target().password);
  challenge->identifier ^= 0x44;
  if (const auto early = Respond(s, *challenge, response, s.target().quiet_ms)) {
    return Violates(Describe(*early));
  }
  challenge->identifier ^= 0x44;
  const auto success = Respond(s, *challenge, response);
  return Judge{success && success->code == chap::kSuccess, "discarded; " + s.HeardPpp()};
}

Result WithDomain(Session& s) {
  const auto challenge = ToChallenge(s, AuthMethod::kMsChapV2);
  if (!challenge) {
    return s.Broken();
  }
  const auto answer =
      Respond(s, *challenge,
              s.ppp.ChapResponse(*challenge, "DOMAIN\\" + s.target().user, s.target().password));
  if (!answer) {
    return Violates(s.HeardPpp());
  }
  if (answer->code == chap::kSuccess) {
    return Judge{s.ppp.proof_ok, s.ppp.proof_ok ? "accepted" : "accepted without the right proof"};
  }
  return Departs("refused", "pppd without chapms-strip-domain");
}

// ChangePassword: an expired password is changed in one call; the next one logs in with the new
// one.
Result ChangePassword(Session& s) {
  return ChangeAndLogIn(s, AuthMethod::kMsChapV2, s.target().expired_user);
}

// Bad: a response that cannot be right whatever the password.
Result Bad(Session& s, AuthMethod method, const std::function<void(Bytes*)>& change) {
  const auto challenge = ToChallenge(s, method);
  if (!challenge) {
    return s.Broken();
  }
  Bytes response = s.ppp.ChapResponse(*challenge, s.target().user, s.target().password);
  change(&response);
  const auto answer = Respond(s, *challenge, response, 2000);
  return Judge{(!answer || answer->code == chap::kFailure) && s.ServerAlive(),
               answer ? Describe(*answer) : "nothing"};
}

Result ChangePasswordUnasked(Session& s) {
  const auto challenge = ToChallenge(s, AuthMethod::kMsChapV2);
  if (!challenge) {
    return s.Broken();
  }
  s.Forget();
  s.ppp.SendControl(pp::kChap, chap::kChangePassword, challenge->identifier,
                    Bytes(chap::kChangePasswordLen, 0));
  const auto answer = s.AwaitPpp(pp::kChap, chap::kSuccess, s.target().quiet_ms);
  return Judge{!answer && s.ServerAlive(), answer ? "Success" : s.HeardPpp()};
}

Result SuccessFromClient(Session& s) {
  const auto challenge = ToChallenge(s, AuthMethod::kMsChapV2);
  if (!challenge) {
    return s.Broken();
  }
  s.Forget();
  s.ppp.SendControl(pp::kChap, chap::kSuccess, challenge->identifier, {});
  s.ppp.Request(&s.ppp.ipcp);
  const auto answer =
      s.AwaitPpp([](const PppPacket& p) { return p.protocol == pp::kIpcp; }, s.target().quiet_ms);
  return Judge{!answer, answer ? Describe(*answer) : "nothing"};
}

Result EchoDuringLogin(Session& s) {
  if (!ToChallenge(s, AuthMethod::kMsChapV2)) {
    return s.Broken();
  }
  return Holds{s.Alive(), "answered"};
}

constexpr uint32_t kV1 = kUser | kMsChap, kV2 = kUser | kMsChapV2;

constexpr Case kCases[] = {
    {"mschap/login", "RFC 2433 s6", "the right NT response", "Success", kV1, 0,
     [](Session& s) { return LogsIn(s, AuthMethod::kMsChap); }},
    {"mschap/challenge", "RFC 2433 s5", "nothing", "a challenge of 8 octets", kV1, 0,
     [](Session& s) { return ChallengeLength(s, AuthMethod::kMsChap, 8); }},
    {"mschap/wrong-password", "RFC 2433 s8", "a wrong response", "Failure with E= and R=", kV1, 0,
     [](Session& s) { return FailureText(s, AuthMethod::kMsChap, false); }},
    {"mschap2/login", "RFC 2759 s5", "the right response", "Success with the right S=", kV2, 0,
     [](Session& s) { return LogsIn(s, AuthMethod::kMsChapV2); }},
    {"mschap2/challenge", "RFC 2759 s3", "nothing", "a challenge of 16 octets", kV2, 0,
     [](Session& s) { return ChallengeLength(s, AuthMethod::kMsChapV2, 16); }},
    {"mschap2/success-text", "RFC 2759 s5", "the right response", "\"S=\", 40 digits, \" M=\"", kV2,
     0, SuccessText},
    {"mschap2/wrong-password", "RFC 2759 s6", "a wrong response",
     "Failure with E=, R=, C= of 32 digits and V=; with R=0 the end of the link", kV2, 0,
     [](Session& s) { return FailureText(s, AuthMethod::kMsChapV2, false); }},
    {"mschap2/wrong-user", "RFC 2759 s6", "a name that no user has",
     "the same: nobody learns which names there are", kV2, 0,
     [](Session& s) { return FailureText(s, AuthMethod::kMsChapV2, true); }},
    {"mschap2/repeated", "RFC 1994 s4.2", "the same response again", "the same Success again", kV2,
     0, Repeated},
    {"mschap2/other-identifier", "RFC 1994 s4.1", "a response with another identifier",
     "silently discarded", kV2, 0, OtherIdentifier},
    {"mschap2/domain", "RFC 2759 s4", "DOMAIN\\user, the domain not hashed",
     "accepted, or an unknown user", kV2, 0, WithDomain},
    {"mschap2/value-48-octets", "RFC 2759 s4", "a response of 48 octets", "no Success", kV2, 0,
     [](Session& s) {
       return Bad(s, AuthMethod::kMsChapV2, [](Bytes* r) {
         (*r)[0] = 48;
         r->erase(r->begin() + 49);
       });
     }},
    {"mschap2/nt-response-changed", "RFC 2759 s4", "one bit of the NT response wrong", "no Success",
     kV2, 0,
     [](Session& s) { return Bad(s, AuthMethod::kMsChapV2, [](Bytes* r) { (*r)[40] ^= 1; }); }},
    {"mschap2/name-empty", "RFC 2759 s4", "no name", "no Success", kV2, 0,
     [](Session& s) { return Bad(s, AuthMethod::kMsChapV2, [](Bytes* r) { r->resize(50); }); }},
    {"mschap2/name-long", "RFC 2759 s4", "a name of 1000 octets", "no Success", kV2, 0,
     [](Session& s) {
       return Bad(s, AuthMethod::kMsChapV2, [](Bytes* r) { r->resize(1050, 'x'); });
     }},
    {"mschap2/name-odd", "RFC 2759 s4", "a name of control characters", "no Success", kV2, 0,
     [](Session& s) {
       return Bad(s, AuthMethod::kMsChapV2, [](Bytes* r) {
         r->resize(50);
         r->insert(r->end(), {'%', 's', 10, 13, 0, 27, '[', '2', 'J', 0xff});
       });
     }},
    {"mschap2/change-password-unasked", "RFC 2759 s7", "Change-Password that nobody asked for",
     "no Success", kV2, 0, ChangePasswordUnasked},
    {"mschap2/change-password", "RFC 2759 s7", "Change-Password when the password has expired",
     "Success with the new password's proof; then the new password logs in", kMsChapV2 | kExpired,
     0, ChangePassword},
    {"mschap2/success-from-client", "RFC 1994 s4.2", "Success, which is the server's, then IPCP",
     "nothing", kV2, 0, SuccessFromClient},
    {"mschap2/echo-during-login", "RFC 1661 s5.8", "LCP Echo-Request before the response",
     "a reply", kV2, 0, EchoDuringLogin},
};

}  // namespace

std::span<const Case> MsChapCases() { return kCases; }

}  // namespace culvert::load::conformance
