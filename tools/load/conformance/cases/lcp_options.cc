// LCP's options (RFC 1661 s6 and others').
#include <fmt/format.h>

#include "tools/load/conformance/cases/option_bytes.h"

namespace culvert::load::conformance {

namespace pp = wire::ppp;

namespace {

// Asked: our Configure-Request with `options`; the first answer to it.
std::optional<PppPacket> Asked(Session& s, const Bytes& options) {
  if (!s.Dial()) {
    return std::nullopt;
  }
  s.ppp.habits.answer_lcp = false;
  return s.Ask(pp::kLcp, pp::kConfigureRequest, options);
}

std::string Show(const Session& s, const std::optional<PppPacket>& answer) {
  return answer ? fmt::format("{} of {} octets", Describe(*answer), answer->data.size())
                : s.HeardPpp();
}

Result Acked(Session& s, const Bytes& options) {
  const auto answer = Asked(s, options);
  return Judge{answer && answer->code == pp::kConfigureAck && answer->data == options,
               Show(s, answer)};
}

Result Rejected(Session& s, const Bytes& before, const Bytes& option) {
  const auto answer = Asked(s, Join({before, option}));
  return Judge{answer && answer->code == pp::kConfigureReject && answer->data == option,
               Show(s, answer)};
}

// RejectedOrTaken: an option that a server may know.
Result RejectedOrTaken(Session& s, const Bytes& option) {
  const auto answer = Asked(s, Join({Magic(s), option}));
  return Judge{answer && ((answer->code == pp::kConfigureReject && answer->data == option) ||
                          answer->code == pp::kConfigureNak || answer->code == pp::kConfigureAck),
               Show(s, answer)};
}

Result RejectComesFirst(Session& s) {
  const Bytes unknown = {200, 4, 7, 7};
  const auto answer = Asked(s, Join({{1, 4, 0, 10}, Magic(s), unknown}));  // an MRU of 10
  return Judge{answer && answer->code == pp::kConfigureReject && answer->data == unknown,
               Show(s, answer)};
}

Result ManyRejectsInOrder(Session& s) {
  const Bytes first = {200, 4, 1, 1}, second = {201, 2}, third = {202, 3, 9};
  const Bytes all = Join({first, Magic(s), second, third});
  const auto answer = Asked(s, all);
  return Judge{answer && answer->code == pp::kConfigureReject &&
                   answer->data == Join({first, second, third}),
               Show(s, answer)};
}

Result SmallMru(Session& s, uint16_t mru) {
  const auto answer =
      Asked(s, Join({{1, 4, static_cast<uint8_t>(mru >> 8), static_cast<uint8_t>(mru)}, Magic(s)}));
  if (answer && answer->code == pp::kConfigureAck) {
    return Departs("acknowledged", "pppd, which sends no packets that small anyway");
  }
  return Judge{answer && answer->code == pp::kConfigureNak, Show(s, answer)};
}

// MaxFailure: the same bad value for ever; Naks must end.
Result MaxFailure(Session& s) {
  constexpr int kTries = 15;
  const Bytes options = {1, 4, 0, 0};
  unsigned naks = 0;
  for (int i = 0; i < kTries; ++i) {
    const auto answer = Asked(s, options);
    if (!answer) {
      return s.Ended(100) ? Fine(fmt::format("the link is ended after {} Naks", naks))
                          : Violates(s.HeardPpp());
    }
    if (answer->code != pp::kConfigureNak) {
      return Fine(fmt::format("{} after {} Naks", Describe(*answer), naks));
    }
    ++naks;
  }
  return Violates(fmt::format("still Nak after {}", naks));
}

Result SameMagic(Session& s) {
  if (!s.Dial()) {
    return s.Broken();
  }
  s.ppp.habits.answer_lcp = false;
  if (!s.AwaitPpp(pp::kLcp, pp::kConfigureRequest) || s.ppp.server_magic() == 0) {
    return {Verdict::kSkipped, "the server sends no magic number"};
  }
  const uint32_t theirs = s.ppp.server_magic();
  Bytes options = {5, 6, 0, 0, 0, 0};
  wire::StoreBe32(&options[2], theirs);
  const auto answer = s.Ask(pp::kLcp, pp::kConfigureRequest, options);
  const bool nak = answer && answer->code == pp::kConfigureNak && answer->data.size() == 6 &&
                   wire::LoadBe32(&answer->data[2]) != theirs;
  return Judge{nak, Show(s, answer)};
}

Result ZeroMagic(Session& s) {
  const auto answer = Asked(s, {5, 6, 0, 0, 0, 0});
  if (answer && answer->code == pp::kConfigureAck) {
    return Departs("acknowledged", "pppd");
  }
  return Judge{answer && answer->code != pp::kConfigureAck, Show(s, answer)};
}

Result WeWantAuthentication(Session& s) {
  const Bytes option = {3, 5, 0xc2, 0x23, 5};
  const auto answer = Asked(s, option);
  if (answer && answer->code == pp::kConfigureAck) {
    return Departs("acknowledged: it would say who it is", "pppd with a secret for it");
  }
  return Judge{
      answer && (answer->code == pp::kConfigureReject || answer->code == pp::kConfigureNak),
      Show(s, answer)};
}

// RefuseToAuthenticate: Configure-Reject of the server's authentication option.
Result RefuseToAuthenticate(Session& s) {
  if (!s.Dial()) {
    return s.Broken();
  }
  s.ppp.habits.answer_lcp = false;
  s.ppp.habits.repeat = false;
  s.ppp.Request(&s.ppp.lcp);
  const uint64_t end = Session::NowMs() + 8000;
  while (Session::NowMs() < end && !s.Ended(1)) {
    const auto request = s.AwaitPpp(pp::kLcp, pp::kConfigureRequest, 1000);
    if (!request) {
      continue;
    }
    const auto options = pp::ParseOptions(request->data);
    for (const pp::Option& option : options ? *options : std::vector<pp::Option>{}) {
      if (option.type == pp::lcp::kAuthentication) {
        pp::OptionList list;
        list.Add(option.type, option.value);
        s.ppp.SendControl(pp::kLcp, pp::kConfigureReject, request->identifier, list.octets());
      }
    }
    if (s.ppp.offered_protocol == 0) {  // it may give in only to end the link
      s.ppp.SendControl(pp::kLcp, pp::kConfigureAck, request->identifier, request->data);
      return s.Ended() ? Fine("the link is ended") : Violates("it does without authentication");
    }
  }
  return s.Ended(1) ? Fine("the link is ended") : Departs("it asks on", "some NAS");
}

Result UnknownMethodWanted(Session& s) {
  if (!s.Dial()) {
    return s.Broken();
  }
  s.ppp.habits.answer_lcp = false;
  const auto request = s.AwaitPpp(pp::kLcp, pp::kConfigureRequest);
  if (!request) {
    return Violates("no Configure-Request");
  }
  s.Forget();
  s.ppp.SendControl(pp::kLcp, pp::kConfigureNak, request->identifier,
                    Bytes{3, 5, 0xc2, 0x23, 0x77});
  const auto next = s.AwaitPpp([&](const PppPacket& p) {
    return p.protocol == pp::kLcp &&
           (p.code == pp::kConfigureRequest || p.code == pp::kTerminateRequest);
  });
  return Judge{next && s.ppp.offered_algorithm != 0x77, s.HeardPpp()};
}

Result MruNak(Session& s) {
  if (!s.Dial()) {
    return s.Broken();
  }
  s.ppp.habits.answer_lcp = false;
  const auto request = s.AwaitPpp(pp::kLcp, pp::kConfigureRequest);
  if (!request) {
    return Violates("no Configure-Request");
  }
  s.Forget();
  s.ppp.SendControl(pp::kLcp, pp::kConfigureNak, request->identifier, Bytes{1, 4, 0x05, 0x00});
  const auto next = s.AwaitPpp(pp::kLcp, pp::kConfigureRequest);
  return Judge{next && next->identifier != request->identifier, s.HeardPpp()};
}

// ReplyFitsMru: an Echo-Reply is cut to what we take.
Result ReplyFitsMru(Session& s) {
  constexpr uint16_t kMru = 300;
  if (!s.Dial()) {
    return s.Broken();
  }
  s.ppp.lcp.options = Join({{1, 4, kMru >> 8, kMru & 0xff}, Magic(s)});
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  s.Forget();
  s.tunnel.Send(s.EchoFrame(s.ppp.NextIdentifier(), 1000));
  const auto reply = s.AwaitPpp(pp::kLcp, pp::kEchoReply, 1500);
  if (!reply) {
    return Holds{s.Alive(), "no reply"};
  }
  const std::string text = fmt::format("a reply of {} octets", reply->information.size());
  return reply->information.size() <= kMru ? Fine(text) : Departs(text, "pppd and accel-ppp");
}

constexpr Case kCases[] = {
    {"lcp/empty-request", "RFC 1661 s5.1", "Configure-Request without options", "Ack", kNothing, 0,
     [](Session& s) { return Acked(s, {}); }},
    {"lcp/ack-copies", "RFC 1661 s5.2", "ACCM, magic number, PFC, ACFC",
     "Ack with the same octets in the same order", kNothing, 0,
     [](Session& s) {
       return Acked(s, Join({{2, 6, 0, 0x0a, 0, 0}, Magic(s), {7, 2}, {8, 2}}));
     }},
    {"lcp/mru-1500", "RFC 1661 s6.1", "MRU 1500", "Ack", kNothing, 0,
     [](Session& s) {
       return Acked(s, {1, 4, 0x05, 0xdc});
     }},
    {"lcp/mru-1400", "RFC 1661 s6.1", "MRU 1400, as Windows wants it", "Ack", kNothing, 0,
     [](Session& s) {
       return Acked(s, {1, 4, 0x05, 0x78});
     }},
    {"lcp/mru-0", "RFC 1661 s6.1", "MRU 0", "Nak", kNothing, 0,
     [](Session& s) { return SmallMru(s, 0); }},
    {"lcp/mru-16", "RFC 1661 s6.1", "MRU 16", "Nak", kNothing, 0,
     [](Session& s) { return SmallMru(s, 16); }},
    {"lcp/max-failure", "RFC 1661 s4.6", "MRU 0, fifteen times",
     "Reject, or an end, after Max-Failure Naks", kNothing, 0, MaxFailure},
    {"lcp/option-unknown", "RFC 1661 s5.4", "option 200", "Reject with it alone", kNothing, 0,
     [](Session& s) {
       return Rejected(s, Magic(s), {200, 5, 1, 2, 3});
     }},
    {"lcp/options-unknown-in-order", "RFC 1661 s5.4", "three unknown options among known ones",
     "Reject with these in order", kNothing, 0, ManyRejectsInOrder},
    {"lcp/reject-before-nak", "RFC 1661 s5.4", "a bad MRU and an unknown option",
     "Reject with the unknown one alone", kNothing, 0, RejectComesFirst},
    {"lcp/option-callback", "RFC 1570 s2.3", "CBCP callback, as Windows offers it", "Reject",
     kNothing, 0,
     [](Session& s) {
       return RejectedOrTaken(s, {13, 3, 6});
     }},
    {"lcp/option-quality", "RFC 1661 s6.3", "quality protocol c025", "Reject, Nak or Ack", kNothing,
     0,
     [](Session& s) {
       return RejectedOrTaken(s, {4, 8, 0xc0, 0x25, 0, 0, 0, 100});
     }},
    {"lcp/option-mrru", "RFC 1990 s5.1.1", "multilink MRRU", "Reject, or Ack", kNothing, 0,
     [](Session& s) {
       return RejectedOrTaken(s, {17, 4, 0x05, 0xdc});
     }},
    {"lcp/option-endpoint", "RFC 1990 s5.1.3", "endpoint discriminator", "Reject, or Ack", kNothing,
     0,
     [](Session& s) {
       return RejectedOrTaken(s, {19, 9, 3, 2, 0, 0, 0, 0, 1});
     }},
    {"lcp/option-fcs", "RFC 1570 s2.1", "FCS alternatives", "Reject", kNothing, 0,
     [](Session& s) {
       return RejectedOrTaken(s, {9, 3, 2});
     }},
    {"lcp/option-padding", "RFC 1570 s2.2", "self-describing padding", "Reject", kNothing, 0,
     [](Session& s) {
       return RejectedOrTaken(s, {10, 3, 8});
     }},
    {"lcp/option-compound", "RFC 1570 s2.4", "compound frames", "Reject", kNothing, 0,
     [](Session& s) {
       return RejectedOrTaken(s, {15, 2});
     }},
    {"lcp/option-authenticate-yourself", "RFC 1661 s6.2", "we ask the server who it is",
     "Reject, Nak, or Ack", kNothing, 0, WeWantAuthentication},
    {"lcp/magic-same", "RFC 1661 s6.4", "the server's own magic number", "Nak with another",
     kNothing, 0, SameMagic},
    {"lcp/magic-zero", "RFC 1661 s6.4", "magic number 0", "Nak", kNothing, 0, ZeroMagic},
    {"lcp/their-mru-naked", "RFC 1661 s5.3", "Nak of the server's MRU",
     "another Configure-Request with a new identifier", kNothing, 0, MruNak},
    {"lcp/authentication-rejected", "RFC 1661 s6.2", "Reject of the authentication option",
     "an end: it is not for nothing", kAuthentication, 0, RefuseToAuthenticate},
    {"lcp/method-unknown", "RFC 1661 s6.2", "Nak that wants CHAP algorithm 77",
     "another method, the same, or an end", kAuthentication, 0, UnknownMethodWanted},
    {"lcp/echo-reply-fits-mru", "RFC 1661 s5.8", "an Echo-Request of 1000 octets with MRU 300",
     "a reply of at most 300 octets", kNothing, 0, ReplyFitsMru},
};

}  // namespace

std::span<const Case> LcpOptionCases() { return kCases; }

}  // namespace culvert::load::conformance
