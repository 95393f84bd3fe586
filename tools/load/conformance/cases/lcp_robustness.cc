// Frames and packets that are wrong, and those that only look so (RFC 1661 s2, s3.4, s5).
#include <fmt/format.h>

#include "tools/load/conformance/cases/option_bytes.h"

namespace culvert::load::conformance {

namespace pp = wire::ppp;

namespace {

// Harmless: a frame in Opened that is dropped, or refused in good order; the call goes on.
Result Harmless(Session& s, const Bytes& frame) {
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  s.Forget();
  s.tunnel.Send(frame);
  s.Quiet();
  const std::string heard = s.HeardPpp();
  return s.Alive() ? Fine(heard == "nothing" ? "dropped" : heard)
                   : Violates("the call is dead afterwards: " + s.HeardPpp());
}

Result HarmlessLcp(Session& s, const Bytes& packet) {
  return Harmless(s, Join({{0xff, 0x03, 0xc0, 0x21}, packet}));
}

// BadRequest: a Configure-Request that cannot be read, while LCP is negotiated.
Result BadRequest(Session& s, const Bytes& packet) {
  if (!s.Dial()) {
    return s.Broken();
  }
  s.tunnel.Send(Join({{0xff, 0x03, 0xc0, 0x21}, packet}));
  s.Quiet();
  unsigned acks = 0;
  for (const PppPacket& p : s.ppp.heard()) {
    acks += p.protocol == pp::kLcp && p.code == pp::kConfigureAck && p.identifier == 77 ? 1 : 0;
  }
  if (acks > 0) {
    return Violates("acknowledged");
  }
  const std::string heard = s.HeardPpp();
  return s.OpenLcp() ? Fine("LCP opens afterwards") : Violates("LCP does not open: " + heard);
}

Result Padding(Session& s) {
  if (!s.Dial()) {
    return s.Broken();
  }
  s.ppp.habits.answer_lcp = false;
  s.Forget();
  s.tunnel.Send(Join({{0xff, 0x03, 0xc0, 0x21, 1, 88, 0, 10}, Magic(s), Bytes(20, 0xee)}));
  const auto answer = s.AwaitPpp([](const PppPacket& p) {
    return p.protocol == pp::kLcp && p.identifier == 88 && p.code != pp::kConfigureRequest;
  });
  return Judge{answer && answer->code == pp::kConfigureAck && answer->data == Magic(s),
               s.HeardPpp()};
}

// EchoIn sends an Echo-Request in an unusual frame; a server may take or drop it.
Result EchoIn(Session& s, const std::function<Bytes(const Bytes&)>& wrap, bool must_answer) {
  if (!s.Dial()) {
    return s.Broken();
  }
  s.ppp.habits.answer_lcp = true;
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  const uint8_t identifier = s.ppp.NextIdentifier();
  const Bytes frame = s.EchoFrame(identifier);
  s.Forget();
  s.tunnel.Send(wrap(Bytes(frame.begin() + 4, frame.end())));
  s.Wait([&] { return s.CountEchoReplies(identifier) > 0; },
         must_answer ? s.target().wait_ms : s.target().quiet_ms);
  const bool answered = s.CountEchoReplies(identifier) > 0;
  return Judge{(answered || !must_answer) && s.Alive(), answered ? "answered" : "dropped"};
}

// TooEarly: a packet of a later phase does nothing (s3.4, s3.5).
Result TooEarly(Session& s, uint16_t protocol, bool lcp_open) {
  s.ppp.habits.authenticate = false;
  if (lcp_open ? !s.OpenLcp() : !s.Dial()) {
    return s.Broken();
  }
  if (lcp_open && s.ppp.offered_protocol == 0) {
    return {Verdict::kSkipped, "the server authenticates nobody"};
  }
  s.ppp.habits.answer_lcp = lcp_open;
  const Bytes options = protocol == pp::kIpcp  ? AddressOption(3, 0)
                        : protocol == pp::kCcp ? MppeOption(0x01000040)
                                               : Bytes{1, 10, 0, 0, 0, 0, 0, 0, 0, 1};
  const auto answer = s.Ask(protocol, pp::kConfigureRequest, options, s.target().quiet_ms);
  if (!answer) {
    return Fine("nothing");
  }
  if (answer->protocol == pp::kLcp && lcp_open) {
    return Departs(Describe(*answer), "accel-ppp, which has no such protocol yet");
  }
  return Violates(Describe(*answer));
}

Result ProtocolRejectTooEarly(Session& s) {
  if (!s.Dial()) {
    return s.Broken();
  }
  s.ppp.habits.answer_lcp = false;
  s.Forget();
  s.ppp.SendControl(0x8053, 1, 1, {});
  s.Quiet();
  for (const PppPacket& p : s.ppp.heard()) {
    if (p.protocol == pp::kLcp && p.code == pp::kProtocolReject) {
      return Violates("Protocol-Reject");
    }
  }
  return Fine("nothing");
}

constexpr Case kCases[] = {
    {"lcp/frame-empty", "RFC 1661 s2", "FF 03 alone", "dropped", kNothing, 0,
     [](Session& s) {
       return Harmless(s, {0xff, 0x03});
     }},
    {"lcp/frame-half-protocol", "RFC 1661 s2", "half a protocol field", "dropped", kNothing, 0,
     [](Session& s) {
       return Harmless(s, {0xff, 0x03, 0xc0});
     }},
    {"lcp/frame-parity", "RFC 1661 s2", "protocol c022, which cannot be", "dropped, or rejected",
     kNothing, 0,
     [](Session& s) {
       return Harmless(s, {0xff, 0x03, 0xc0, 0x22, 1, 1, 0, 4});
     }},
    {"lcp/frame-odd-first-octet", "RFC 1661 s2", "protocol c121, which cannot be",
     "dropped, or rejected", kNothing, 0,
     [](Session& s) {
       return Harmless(s, {0xff, 0x03, 0xc1, 0x21, 1, 1, 0, 4});
     }},
    {"lcp/frame-without-ff03", "RFC 1661 s6.6", "LCP without FF 03", "answered, or dropped",
     kNothing, 0,
     [](Session& s) {
       return EchoIn(
           s,
           [](const Bytes& lcp) {
             return Join({{0xc0, 0x21}, lcp});
           },
           false);
     }},
    {"lcp/frame-usual", "RFC 1661 s2", "LCP with FF 03 and two octets of protocol", "answered",
     kNothing, 0,
     [](Session& s) {
       return EchoIn(
           s,
           [](const Bytes& lcp) {
             return Join({{0xff, 3, 0xc0, 0x21}, lcp});
           },
           true);
     }},
    {"lcp/frame-only-ff", "RFC 1661 s3.1", "FF without 03 before LCP", "dropped", kNothing, 0,
     [](Session& s) {
       return Harmless(s, {0xff, 0x04, 0xc0, 0x21, 9, 1, 0, 8, 0, 0, 0, 0});
     }},
    {"lcp/packet-short", "RFC 1661 s5", "three octets of a header", "silently discarded", kNothing,
     0,
     [](Session& s) {
       return HarmlessLcp(s, {9, 1, 0});
     }},
    {"lcp/length-below-4", "RFC 1661 s5", "a length of 3", "silently discarded", kNothing, 0,
     [](Session& s) {
       return HarmlessLcp(s, {9, 1, 0, 3});
     }},
    {"lcp/length-beyond", "RFC 1661 s5", "a length beyond the packet", "silently discarded",
     kNothing, 0,
     [](Session& s) {
       return HarmlessLcp(s, {9, 1, 5, 0, 0, 0, 0, 0});
     }},
    {"lcp/echo-without-magic", "RFC 1661 s5.8", "an Echo-Request of 4 octets", "no harm", kNothing,
     0,
     [](Session& s) {
       return HarmlessLcp(s, {9, 1, 0, 4});
     }},
    {"lcp/padding", "RFC 1661 s5", "octets behind the length", "they are ignored", kNothing, 0,
     Padding},
    {"lcp/option-length-0", "RFC 1661 s6", "an option of length 0", "not acknowledged", kNothing, 0,
     [](Session& s) {
       return BadRequest(s, {1, 77, 0, 8, 1, 0, 5, 220});
     }},
    {"lcp/option-length-1", "RFC 1661 s6", "an option of length 1", "not acknowledged", kNothing, 0,
     [](Session& s) {
       return BadRequest(s, {1, 77, 0, 8, 1, 1, 5, 220});
     }},
    {"lcp/option-length-beyond", "RFC 1661 s6", "an option beyond the packet", "not acknowledged",
     kNothing, 0,
     [](Session& s) {
       return BadRequest(s, {1, 77, 0, 8, 1, 64, 5, 220});
     }},
    {"lcp/option-half", "RFC 1661 s6", "one octet of an option", "not acknowledged", kNothing, 0,
     [](Session& s) {
       return BadRequest(s, {1, 77, 0, 5, 1});
     }},
    {"lcp/ipcp-before-lcp", "RFC 1661 s3.4", "IPCP before LCP is open", "silently discarded",
     kNothing, 0, [](Session& s) { return TooEarly(s, pp::kIpcp, false); }},
    {"lcp/unknown-before-lcp", "RFC 1661 s5.7", "protocol 8053 before LCP is open",
     "silently discarded", kNothing, 0, ProtocolRejectTooEarly},
    {"lcp/ipcp-before-login", "RFC 1661 s3.5", "IPCP before authentication", "silently discarded",
     kAuthentication, 0, [](Session& s) { return TooEarly(s, pp::kIpcp, true); }},
    {"lcp/ccp-before-login", "RFC 1661 s3.5", "CCP before authentication", "silently discarded",
     kAuthentication, 0, [](Session& s) { return TooEarly(s, pp::kCcp, true); }},
    {"lcp/ipv6cp-before-login", "RFC 1661 s3.5", "IPV6CP before authentication",
     "silently discarded", kAuthentication, 0,
     [](Session& s) { return TooEarly(s, pp::kIpv6cp, true); }},
};

}  // namespace

std::span<const Case> LcpRobustnessCases() { return kCases; }

}  // namespace culvert::load::conformance
