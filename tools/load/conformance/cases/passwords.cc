// PAP (RFC 1334) and CHAP with MD5 (RFC 1994).
#include <fmt/format.h>

#include "proto/wire/auth.h"
#include "tools/load/conformance/cases/option_bytes.h"

namespace culvert::load::conformance {

namespace pp = wire::ppp;
namespace chap = wire::chap;

namespace {

Result LogsIn(Session& s, AuthMethod method) {
  s.ppp.method = method;
  return s.Authenticate() ? Fine("accepted") : s.Broken();
}

// Refused: a name or password that is wrong; the link must end.
Result Refused(Session& s, AuthMethod method, const std::string& user,
               const std::string& password) {
  s.ppp.method = method;
  s.ppp.user = user;
  s.ppp.password = password;
  s.ppp.habits.start_network = s.ppp.habits.answer_network = false;
  if (!s.Dial()) {
    return s.Broken();  // a server that is dead ends no link
  }
  (void)s.Authenticate();
  if (s.ppp.authenticated) {
    return Violates("accepted");
  }
  const bool ended = s.Ended(10'000);
  if (!s.ppp.refusal) {
    return ended ? Departs("the link is ended without a word", "some NAS") : Violates("nothing");
  }
  return ended ? Fine(fmt::format("\"{}\", and the link is ended", *s.ppp.refusal))
               : Departs("refused, and the link stays", "servers that leave it to the client");
}

// ToPap: LCP is open with PAP, and nothing has been sent yet.
bool ToPap(Session& s) {
  s.ppp.method = AuthMethod::kPap;
  s.ppp.habits.authenticate = false;
  s.ppp.habits.start_network = s.ppp.habits.answer_network = false;
  return s.OpenLcp();
}

Result PapIdentifier(Session& s) {
  if (!ToPap(s)) {
    return s.Broken();
  }
  s.ppp.SendPap(201, s.target().user, s.target().password);
  const auto ack = s.AwaitPpp(pp::kPap, wire::pap::kAck);
  return Judge{ack && ack->identifier == 201, s.HeardPpp()};
}

Result PapRepeated(Session& s) {
  if (!ToPap(s)) {
    return s.Broken();
  }
  for (int i = 0; i < 2; ++i) {
    s.Forget();
    s.ppp.SendPap(7, s.target().user, s.target().password);
    if (!s.AwaitPpp(pp::kPap, wire::pap::kAck)) {
      return i == 0 ? Violates(s.HeardPpp()) : Violates("not answered again: " + s.HeardPpp());
    }
  }
  return Fine("Ack again");
}

Result PapBad(Session& s, const Bytes& data) {
  if (!ToPap(s)) {
    return s.Broken();
  }
  s.Forget();
  s.ppp.SendControl(pp::kPap, wire::pap::kRequest, 9, data);
  const auto ack = s.AwaitPpp(pp::kPap, wire::pap::kAck, s.target().quiet_ms);
  return Judge{!ack && s.ServerAlive(), s.HeardPpp()};
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

Result ChallengesDiffer(Session& s) {
  Session other(&s.target(), &s.survey());
  const auto one = ToChallenge(s, AuthMethod::kChapMd5);
  const auto two = ToChallenge(other, AuthMethod::kChapMd5);
  if (!one || !two) {
    return Violates("no challenge");
  }
  const auto first = chap::ParseValue(one->data), second = chap::ParseValue(two->data);
  if (!first || !second) {
    return Violates("a malformed challenge");
  }
  const bool differ = !std::equal(first->value.begin(), first->value.end(), second->value.begin(),
                                  second->value.end());
  return Judge{differ && first->value.size() >= 16,
               fmt::format("{} octets, {}", first->value.size(), differ ? "new each" : "the same")};
}

Result ChapOtherIdentifier(Session& s) {
  const auto challenge = ToChallenge(s, AuthMethod::kChapMd5);
  if (!challenge) {
    return s.Broken();
  }
  const Bytes response = s.ppp.ChapResponse(*challenge, s.target().user, s.target().password);
  s.Forget();
  s.ppp.SendControl(pp::kChap, chap::kResponse, challenge->identifier ^ 0x33, response);
  const auto early = s.AwaitPpp(
      [](const PppPacket& p) { return p.protocol == pp::kChap && p.code >= chap::kSuccess; },
      s.target().quiet_ms);
  if (early) {
    return Violates(Describe(*early));
  }
  s.ppp.SendControl(pp::kChap, chap::kResponse, challenge->identifier, response);
  return Judge{s.AwaitPpp(pp::kChap, chap::kSuccess).has_value(), "discarded; " + s.HeardPpp()};
}

Result ChapRepeated(Session& s) {
  const auto challenge = ToChallenge(s, AuthMethod::kChapMd5);
  if (!challenge) {
    return s.Broken();
  }
  const Bytes response = s.ppp.ChapResponse(*challenge, s.target().user, s.target().password);
  for (int i = 0; i < 2; ++i) {
    s.Forget();
    s.ppp.SendControl(pp::kChap, chap::kResponse, challenge->identifier, response);
    if (!s.AwaitPpp(pp::kChap, chap::kSuccess)) {
      return Violates(i == 0 ? s.HeardPpp() : "not answered again: " + s.HeardPpp());
    }
  }
  return Fine("Success again");
}

Result ChapBad(Session& s, const Bytes& data) {
  const auto challenge = ToChallenge(s, AuthMethod::kChapMd5);
  if (!challenge) {
    return s.Broken();
  }
  s.Forget();
  s.ppp.SendControl(pp::kChap, chap::kResponse, challenge->identifier, data);
  const auto success = s.AwaitPpp(pp::kChap, chap::kSuccess, s.target().quiet_ms);
  return Judge{!success && s.ServerAlive(), s.HeardPpp()};
}

Result ChapChallengeRepeated(Session& s) {
  const auto challenge = ToChallenge(s, AuthMethod::kChapMd5);
  if (!challenge) {
    return s.Broken();
  }
  const auto again = s.AwaitPpp(pp::kChap, chap::kChallenge, 8000);
  return Judge{again.has_value(), again ? "the challenge again" : s.HeardPpp()};
}

const std::string kLongName(255, 'x');

constexpr uint32_t kPapUser = kUser | kPap, kChapUser = kUser | kChapMd5;

constexpr Case kCases[] = {
    {"pap/login", "RFC 1334 s2.2.1", "the right password", "Ack", kPapUser, 0,
     [](Session& s) { return LogsIn(s, AuthMethod::kPap); }},
    {"pap/wrong-password", "RFC 1334 s2.2.2", "a wrong password", "Nak, and the end of the link",
     kPapUser, 0,
     [](Session& s) {
       return Refused(s, AuthMethod::kPap, s.target().user, s.target().wrong_password);
     }},
    {"pap/wrong-user", "RFC 1334 s2.2.2", "a name that no user has", "Nak, and the end of the link",
     kPapUser, 0,
     [](Session& s) {
       return Refused(s, AuthMethod::kPap, s.target().wrong_user, s.target().password);
     }},
    {"pap/long-name", "RFC 1334 s2.2.1", "a name of 255 octets", "Nak, and the end of the link",
     kPapUser, 0, [](Session& s) { return Refused(s, AuthMethod::kPap, kLongName, kLongName); }},
    {"pap/identifier", "RFC 1334 s2.2.2", "a request with identifier 201", "an Ack with it",
     kPapUser, 0, PapIdentifier},
    {"pap/repeated", "RFC 1334 s2.2", "the same request again", "the same Ack again", kPapUser, 0,
     PapRepeated},
    {"pap/length-lies", "RFC 1334 s2.2.1", "a peer-ID length beyond the packet", "no Ack", kPapUser,
     0,
     [](Session& s) {
       return PapBad(s, {200, 'a', 'b', 1, 'c'});
     }},
    {"pap/no-password", "RFC 1334 s2.2.1", "a request that ends after the name", "no Ack", kPapUser,
     0,
     [](Session& s) {
       return PapBad(s, {2, 'a', 'b'});
     }},
    {"chap/login", "RFC 1994 s4.1", "the right response", "Success", kChapUser, 0,
     [](Session& s) { return LogsIn(s, AuthMethod::kChapMd5); }},
    {"chap/wrong-password", "RFC 1994 s4.2", "a wrong response", "Failure, and the end of the link",
     kChapUser, 0,
     [](Session& s) {
       return Refused(s, AuthMethod::kChapMd5, s.target().user, s.target().wrong_password);
     }},
    {"chap/wrong-user", "RFC 1994 s4.2", "a name that no user has",
     "Failure, and the end of the link", kChapUser, 0,
     [](Session& s) {
       return Refused(s, AuthMethod::kChapMd5, s.target().wrong_user, s.target().password);
     }},
    {"chap/challenge", "RFC 1994 s2.3", "two calls", "16 octets or more, new for each", kChapUser,
     0, ChallengesDiffer},
    {"chap/other-identifier", "RFC 1994 s4.1", "a response with another identifier",
     "silently discarded", kChapUser, 0, ChapOtherIdentifier},
    {"chap/repeated", "RFC 1994 s4.2", "the same response again", "the same Success again",
     kChapUser, 0, ChapRepeated},
    {"chap/challenge-repeated", "RFC 1994 s4.1", "no response", "the challenge again", kChapUser, 8,
     ChapChallengeRepeated},
    {"chap/value-length-lies", "RFC 1994 s4.1", "a value size beyond the packet", "no Success",
     kChapUser, 0,
     [](Session& s) {
       return ChapBad(s, {200, 1, 2, 3});
     }},
    {"chap/value-15-octets", "RFC 1994 s4.1", "a value of 15 octets", "no Success", kChapUser, 0,
     [](Session& s) {
       return ChapBad(s, Join({{15}, Bytes(15, 1), {'a'}}));
     }},
    {"chap/value-empty", "RFC 1994 s4.1", "a value of 0 octets", "no Success", kChapUser, 0,
     [](Session& s) {
       return ChapBad(s, {0, 'a'});
     }},
};

}  // namespace

std::span<const Case> PasswordCases() { return kCases; }

}  // namespace culvert::load::conformance
