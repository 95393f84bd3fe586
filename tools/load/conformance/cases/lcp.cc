// LCP's automaton and its extra packets (RFC 1661, RFC 1570).
#include <fmt/format.h>

#include "tools/load/conformance/cases/option_bytes.h"

namespace culvert::load::conformance {

namespace pp = wire::ppp;

namespace {

Result Opens(Session& s) { return s.OpenLcp() ? Fine("LCP opens") : s.Broken(); }

// AckWith answers the server's Configure-Request with something that is no Ack of it: it must be
// asked again.
Result AckWith(Session& s, const std::function<void(Session&, const PppPacket&)>& answer) {
  if (!s.Dial()) {
    return s.Broken();
  }
  s.ppp.habits.answer_lcp = false;
  s.ppp.Request(&s.ppp.lcp);
  const auto request = s.AwaitPpp(pp::kLcp, pp::kConfigureRequest);
  if (!request) {
    return Violates("no Configure-Request");
  }
  s.Forget();
  answer(s, *request);
  const auto again = s.AwaitPpp(
      [](const PppPacket& p) {
        return p.protocol >= 0xc023 || (p.protocol == pp::kLcp && p.code == pp::kConfigureRequest);
      },
      8000);
  if (!again) {
    return Violates(s.HeardPpp());
  }
  return again->protocol == pp::kLcp ? Fine("ignored, Configure-Request again")
                                     : Violates("taken: " + Describe(*again));
}

Result TerminateRequest(Session& s) {
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  s.ppp.habits.repeat = false;
  const auto ack = s.Ask(pp::kLcp, pp::kTerminateRequest, Bytes{'b', 'y', 'e'});
  return Judge{ack && ack->code == pp::kTerminateAck, s.HeardPpp()};
}

Result TerminateAckUnasked(Session& s) {
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  s.Forget();
  s.ppp.SendControl(pp::kLcp, pp::kTerminateAck, 99, {});
  const auto request = s.AwaitPpp(pp::kLcp, pp::kConfigureRequest, 1500);
  if (request) {
    return Fine("LCP begins again (RTA in Opened)");
  }
  return s.Alive() ? Departs("ignored", "servers that want no link ended by a stray packet")
                   : Violates(s.HeardPpp());
}

Result Renegotiate(Session& s) {
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  s.Forget();
  s.ppp.lcp.theirs_acked = false;
  s.ppp.Request(&s.ppp.lcp);
  const bool opened = s.Wait([&] { return s.ppp.lcp.open() || s.ppp.terminated; });
  if (opened && s.ppp.lcp.open()) {
    return Fine(s.HeardPpp());
  }
  return s.Ended(500) ? Departs("the call is ended", "some NAS") : Violates(s.HeardPpp());
}

Result EchoRequest(Session& s) {
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  Bytes data = Join({Bytes(4), {1, 2, 3, 4, 5}});
  wire::StoreBe32(data.data(), s.ppp.magic);
  const auto reply = s.Ask(pp::kLcp, pp::kEchoRequest, data);
  if (!reply || reply->code != pp::kEchoReply || reply->data.size() != data.size()) {
    return Violates(s.HeardPpp());
  }
  const uint32_t magic = wire::LoadBe32(reply->data.data());
  const bool same = std::equal(data.begin() + 4, data.end(), reply->data.begin() + 4);
  return Judge{same && magic == s.ppp.server_magic(),
               fmt::format("reply with magic number {}, data {}",
                           magic == s.ppp.server_magic() ? "of the server" : "of somebody else",
                           same ? "copied" : "changed")};
}

Result EchoBeforeOpened(Session& s) {
  if (!s.Dial()) {
    return s.Broken();
  }
  s.ppp.habits.answer_lcp = false;
  const uint8_t identifier = s.ppp.NextIdentifier();
  s.Forget();
  s.tunnel.Send(s.EchoFrame(identifier));
  s.Wait([] { return false; }, 1000);
  return Judge{s.CountEchoReplies(identifier) == 0, s.HeardPpp()};
}

Result DiscardRequest(Session& s) {
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  const auto answer = s.Ask(pp::kLcp, pp::kDiscardRequest, Bytes(8), s.target().quiet_ms);
  return Judge{!answer && s.Alive(), answer ? Describe(*answer) : "nothing"};
}

// Extension: a code of RFC 1570, which a server may not know.
template <uint8_t kCode>
Result Extension(Session& s) {
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  Bytes data(8, 'M');
  wire::StoreBe32(data.data(), s.ppp.magic);
  const auto answer = s.Ask(pp::kLcp, kCode, data, s.target().quiet_ms);
  return Judge{(!answer || answer->code == pp::kCodeReject) && s.Alive(),
               answer ? Describe(*answer) : "nothing"};
}

Result ExtensionBeforeOpened(Session& s) {
  if (!s.Dial()) {
    return s.Broken();
  }
  Bytes data(8, 'M');
  wire::StoreBe32(data.data(), s.ppp.magic);
  s.ppp.SendControl(pp::kLcp, pp::kIdentification, s.ppp.NextIdentifier(), data);
  return s.OpenLcp() ? Fine("LCP opens") : Violates(s.HeardPpp());
}

Result UnknownCode(Session& s) {
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  const uint8_t identifier = s.ppp.NextIdentifier();
  const Bytes data = {1, 2, 3};
  const auto answer = s.Ask(pp::kLcp, 200, identifier, data);
  const Bytes copy = {200, identifier, 0, 7, 1, 2, 3};
  return Judge{answer && answer->code == pp::kCodeReject && answer->data == copy && s.Alive(),
               answer ? Describe(*answer) : s.HeardPpp()};
}

// Rejected: the server is told that we do not know one of its packets.
Result CodeRejected(Session& s, uint8_t code, bool fatal) {
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  s.Forget();
  s.ppp.habits.repeat = false;
  const Bytes rejected = {code, s.ppp.NextIdentifier(), 0, 4};
  s.ppp.SendControl(pp::kLcp, pp::kCodeReject, s.ppp.NextIdentifier(), rejected);
  const bool ended = s.Ended(fatal ? s.target().wait_ms : s.target().quiet_ms);
  if (fatal && !ended) {
    return Departs("the call goes on", "servers that want no link ended by a stray packet");
  }
  return Judge{ended == fatal && (fatal || s.Alive()),
               ended ? "the link is ended" : "the call goes on"};
}

Result LcpProtocolRejected(Session& s) {
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  s.Forget();
  s.ppp.habits.repeat = false;
  s.ppp.SendControl(pp::kLcp, pp::kProtocolReject, s.ppp.NextIdentifier(),
                    Bytes{0xc0, 0x21, 9, 1, 0, 8, 0, 0, 0, 0});
  return s.Ended()
             ? Fine("the link is ended")
             : Departs("the call goes on", "servers that want no link ended by a stray packet");
}

Result SameRequestTwice(Session& s) {
  if (!s.Dial()) {
    return s.Broken();
  }
  s.ppp.habits.answer_lcp = false;
  const uint8_t identifier = s.ppp.NextIdentifier();
  const auto first = s.Ask(pp::kLcp, pp::kConfigureRequest, identifier, Magic(s));
  const auto second = s.Ask(pp::kLcp, pp::kConfigureRequest, identifier, Magic(s));
  return Judge{
      first && second && first->code == pp::kConfigureAck && second->code == pp::kConfigureAck,
      s.HeardPpp()};
}

Result MaxConfigure(Session& s) {
  if (!s.Dial()) {
    return s.Broken();
  }
  s.ppp.habits.answer_lcp = false;
  s.ppp.Request(&s.ppp.lcp);
  const uint64_t began = Session::NowMs();
  const bool ended = s.Ended(65'000);
  unsigned requests = 0;
  for (const PppPacket& p : s.ppp.heard()) {
    requests += p.protocol == pp::kLcp && p.code == pp::kConfigureRequest ? 1 : 0;
  }
  return Judge{ended, fmt::format("{} requests, {} after {:.0f} s", requests,
                                  ended ? "the call ended" : "no end",
                                  static_cast<double>(Session::NowMs() - began) / 1000)};
}

void AckOther(Session& s, const PppPacket& request) {
  s.ppp.SendControl(pp::kLcp, pp::kConfigureAck, request.identifier ^ 0x55, request.data);
}
void AckChanged(Session& s, const PppPacket& request) {
  Bytes data = request.data;
  if (!data.empty()) {
    data.back() ^= 1;
  }
  s.ppp.SendControl(pp::kLcp, pp::kConfigureAck, request.identifier, data);
}
void AckLess(Session& s, const PppPacket& request) {
  s.ppp.SendControl(pp::kLcp, pp::kConfigureAck, request.identifier, {});
}
void RejectOther(Session& s, const PppPacket& request) {
  s.ppp.SendControl(pp::kLcp, pp::kConfigureReject, request.identifier, Bytes{5, 6, 9, 9, 9, 9});
}

constexpr Case kCases[] = {
    {"lcp/opens", "RFC 1661 s3.4", "Configure-Request, and Acks", "LCP opens", kNothing, 0, Opens},
    {"lcp/ack-other-identifier", "RFC 1661 s5.2", "Configure-Ack with another identifier",
     "silently discarded", kNothing, 0, [](Session& s) { return AckWith(s, AckOther); }},
    {"lcp/ack-changed", "RFC 1661 s5.2", "Configure-Ack with a changed option",
     "silently discarded", kNothing, 0, [](Session& s) { return AckWith(s, AckChanged); }},
    {"lcp/ack-empty", "RFC 1661 s5.2", "Configure-Ack without the options", "silently discarded",
     kNothing, 0, [](Session& s) { return AckWith(s, AckLess); }},
    {"lcp/reject-changed", "RFC 1661 s5.4", "Configure-Reject with a changed option",
     "silently discarded", kNothing, 0, [](Session& s) { return AckWith(s, RejectOther); }},
    {"lcp/same-request-twice", "RFC 1661 s4.1", "the same Configure-Request again", "Ack again",
     kNothing, 0, SameRequestTwice},
    {"lcp/terminate", "RFC 1661 s5.5", "Terminate-Request", "Terminate-Ack with its identifier",
     kNothing, 0, TerminateRequest},
    {"lcp/terminate-ack-unasked", "RFC 1661 s4.1", "Terminate-Ack in Opened",
     "Configure-Request (RTA)", kNothing, 0, TerminateAckUnasked},
    {"lcp/renegotiate", "RFC 1661 s4.1", "Configure-Request in Opened",
     "Ack and Configure-Request (RCR)", kNothing, 0, Renegotiate},
    {"lcp/echo", "RFC 1661 s5.8", "Echo-Request with data",
     "Echo-Reply with the server's magic number and the data", kNothing, 0, EchoRequest},
    {"lcp/echo-before-opened", "RFC 1661 s5.8", "Echo-Request before Opened", "silently discarded",
     kNothing, 0, EchoBeforeOpened},
    {"lcp/discard-request", "RFC 1661 s5.9", "Discard-Request", "silently discarded", kNothing, 0,
     DiscardRequest},
    {"lcp/identification", "RFC 1570 s1.1", "Identification, as Windows sends it",
     "nothing, or Code-Reject", kNothing, 0, Extension<12>},
    {"lcp/identification-early", "RFC 1570 s1.1", "Identification before LCP is open",
     "LCP opens all the same", kNothing, 0, ExtensionBeforeOpened},
    {"lcp/time-remaining", "RFC 1570 s1.2", "Time-Remaining", "nothing, or Code-Reject", kNothing,
     0, Extension<13>},
    {"lcp/unknown-code", "RFC 1661 s5.6", "code 200", "Code-Reject with a copy", kNothing, 0,
     UnknownCode},
    {"lcp/echo-code-rejected", "RFC 1661 s4.3", "Code-Reject of Echo-Request",
     "the call goes on (RXJ+)", kNothing, 0,
     [](Session& s) { return CodeRejected(s, pp::kEchoRequest, false); }},
    {"lcp/request-code-rejected", "RFC 1661 s4.3", "Code-Reject of Configure-Request",
     "the end of the link (RXJ-)", kNothing, 0,
     [](Session& s) { return CodeRejected(s, pp::kConfigureRequest, true); }},
    {"lcp/lcp-protocol-rejected", "RFC 1661 s5.7", "Protocol-Reject of LCP",
     "the end of the link (RXJ-)", kNothing, 0, LcpProtocolRejected},
    {"lcp/max-configure", "RFC 1661 s4.6", "no answer to Configure-Request",
     "an end after Max-Configure requests", kNothing, 70, MaxConfigure},
};

}  // namespace

std::span<const Case> LcpCases() { return kCases; }

}  // namespace culvert::load::conformance
