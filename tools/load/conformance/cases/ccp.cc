// CCP and how MPPE is agreed upon (RFC 1962, RFC 3078 s2).
#include <fmt/format.h>

#include <bit>

#include "tools/load/conformance/cases/option_bytes.h"

namespace culvert::load::conformance {

namespace pp = wire::ppp;
namespace ccp = wire::ppp::ccp;

namespace {

constexpr uint32_t kBest = ccp::kStateless | ccp::k128Bit;
constexpr uint32_t kStrengths = ccp::k40Bit | ccp::k56Bit | ccp::k128Bit;

// Asked: after the login, our CCP Configure-Request with `options`; the first answer.
std::optional<PppPacket> Asked(Session& s, const Bytes& options) {
  if (!s.ppp.authenticated) {
    s.ppp.method = AuthMethod::kMsChapV2;
    s.ppp.mppe_bits = kBest;
    s.ppp.habits.start_network = false;
    if (!s.Authenticate()) {
      return std::nullopt;
    }
  }
  return s.Ask(pp::kCcp, pp::kConfigureRequest, options);
}

// BitsOf is option 18 of an answer; 0 when there is none.
uint32_t BitsOf(const PppPacket& packet) {
  const auto options = pp::ParseOptions(packet.data);
  for (const pp::Option& option : options ? *options : std::vector<pp::Option>{}) {
    if (option.type == ccp::kMppe && option.value.size() == 4) {
      return wire::LoadBe32(option.value.data());
    }
  }
  return 0;
}

std::string Show(const Session& s, const std::optional<PppPacket>& answer) {
  return !answer                ? s.HeardPpp()
         : BitsOf(*answer) != 0 ? fmt::format("{} {:08x}", Describe(*answer), BitsOf(*answer))
                                : Describe(*answer);
}

// NarrowedTo: a request with too much or too little gets a Nak with one strength.
Result Narrowed(Session& s, uint32_t bits) {
  const auto answer = Asked(s, MppeOption(bits));
  if (!answer) {
    return Violates(Show(s, answer));
  }
  const uint32_t strengths = BitsOf(*answer) & kStrengths;
  if (answer->code == pp::kConfigureNak) {
    const bool one = std::popcount(strengths) == 1;
    return one ? Fine(Show(s, answer)) : Departs(Show(s, answer), "accel-ppp and Windows at first");
  }
  if (answer->code == pp::kConfigureReject) {
    return Departs(Show(s, answer), "pppd after a few rounds");
  }
  const bool acceptable =
      std::popcount(bits & kStrengths) == 1 && (bits & (ccp::kObsolete | ccp::kMppc)) == 0;
  return Judge{answer->code == pp::kConfigureAck && acceptable, Show(s, answer)};
}

Result BestIsAcked(Session& s) {
  const auto answer = Asked(s, MppeOption(kBest));
  return Judge{answer && answer->code == pp::kConfigureAck, Show(s, answer)};
}

Result OtherCompressors(Session& s) {
  const Bytes others = {26, 4, 0x78, 0, 24, 4, 0x78, 0, 21, 3, 0x2f};
  const auto answer = Asked(s, Join({MppeOption(kBest), others}));
  return Judge{answer && answer->code == pp::kConfigureReject && answer->data == others,
               Show(s, answer)};
}

Result EmptyRequest(Session& s) {
  const auto answer = Asked(s, {});
  return Judge{answer && (answer->code == pp::kConfigureAck || answer->code == pp::kConfigureNak),
               Show(s, answer)};
}

Result BadLength(Session& s) {
  const auto answer = Asked(s, {18, 5, 1, 0, 0});
  return Judge{!answer || answer->code != pp::kConfigureAck, Show(s, answer)};
}

// Loop: a client that asks for MPPE with all bits off for ever.
Result Loop(Session& s) {
  constexpr int kTries = 25;
  for (int i = 0; i < kTries; ++i) {
    const auto answer = Asked(s, MppeOption(0));
    if (!answer) {
      return s.Ended(1000) ? Fine(fmt::format("an end after {} rounds", i))
                           : Violates(s.HeardPpp());
    }
    if (answer->code != pp::kConfigureNak) {
      return Fine(fmt::format("{} after {} Naks", Describe(*answer), i));
    }
  }
  return Violates("still Nak after 25");
}

// StaysUp: something in a call that is up, after which pings go on.
Result StaysUp(Session& s, const std::function<void()>& act) {
  if (!s.Up() || !s.Ping()) {
    return s.Broken();
  }
  s.Forget();
  act();
  s.Quiet();
  const std::string heard = s.HeardPpp();
  return Judge{s.Ping(), heard};
}

Result ResetRequest(Session& s) {
  return StaysUp(s, [&] { s.ppp.SendControl(pp::kCcp, pp::kResetRequest, 9, {}); });
}

Result UnknownCode(Session& s) {
  if (!s.Up()) {
    return s.Broken();
  }
  const auto answer = s.Ask(pp::kCcp, 77, Bytes{1, 2});
  return Judge{
      answer && answer->protocol == pp::kCcp && answer->code == pp::kCodeReject && s.Alive(),
      Show(s, answer)};
}

Result Renegotiate(Session& s) {
  if (!s.Up() || !s.Ping()) {
    return s.Broken();
  }
  s.Forget();
  s.ppp.ccp.theirs_acked = false;
  s.ppp.send_mppe.reset();
  s.ppp.receive_mppe.reset();
  s.ppp.Request(&s.ppp.ccp);
  const bool open = s.Wait([&] { return s.ppp.ccp.open() || s.ppp.terminated; });
  if (!open || s.ppp.terminated) {
    return s.Ended(1000) ? Departs("the call is ended", "pppd, seen with Windows 10")
                         : Violates(s.HeardPpp());
  }
  const std::string heard = s.HeardPpp();
  return s.Ping() ? Fine("open again, counts from 0") : Violates("no ping afterwards: " + heard);
}

Result Terminate(Session& s, bool required) {
  if (!s.Up() || !s.Ping()) {
    return s.Broken();
  }
  s.Forget();
  s.ppp.habits.repeat = false;
  const auto ack = s.Ask(pp::kCcp, pp::kTerminateRequest, {});
  const bool ended = s.Ended(required ? s.target().wait_ms : 1000);
  if (required) {
    return Judge{ended, ended ? "the link is ended" : "the link stays: " + s.HeardPpp()};
  }
  return Judge{ended || (ack && ack->code == pp::kTerminateAck && s.Alive()),
               ended ? "the link is ended" : Show(s, ack)};
}

Result ProtocolReject(Session& s) {
  s.ppp.method = AuthMethod::kMsChapV2;
  s.ppp.habits.answer_network = false;
  if (!s.Authenticate()) {
    return s.Broken();
  }
  const bool ended = s.Wait(
      [&] {
        for (; s.ppp.mark < s.ppp.heard().size(); ++s.ppp.mark) {
          const PppPacket p = s.ppp.heard()[s.ppp.mark];
          if (p.protocol == pp::kCcp) {
            s.ppp.SendControl(pp::kLcp, pp::kProtocolReject, s.ppp.NextIdentifier(),
                              Join({{0x80, 0xfd}, p.information}));
          }
        }
        return s.ppp.terminated || s.Ended(0);
      },
      12'000);
  if (ended) {
    return Fine("the link is ended");
  }
  return s.ppp.ipcp.ours_acked ? Violates("IPCP goes on in clear")
                               : Departs("nothing but LCP works", "some NAS");
}

// Late: a client that wants MPPE once IPCP is open.
Result Late(Session& s) {
  s.ppp.method = AuthMethod::kMsChapV2;
  s.ppp.mppe_bits = 0;
  if (!s.Up(0) || !s.Ping()) {
    return s.Broken();
  }
  s.ppp.mppe_bits = kBest;
  s.ppp.ccp.options = MppeOption(kBest);
  s.Forget();
  s.ppp.Request(&s.ppp.ccp);
  s.Wait([&] { return s.ppp.ccp.open() || s.ppp.ccp.rejected || s.ppp.terminated; });
  if (s.ppp.ccp.open()) {
    return Holds{s.Ping(), "encrypted from now on"};
  }
  if (s.ppp.ccp.rejected) {
    return s.Ping() ? Departs("Protocol-Reject, and the call goes on in clear", "accel-ppp")
                    : Violates("Protocol-Reject, and no ping afterwards");
  }
  return Violates(s.HeardPpp());
}

constexpr uint32_t kMppeUser = kUser | kMsChapV2 | kMppe;

constexpr Case kCases[] = {
    {"ccp/stateless-128", "RFC 3078 s2", "option 18: stateless, 128 bit", "Ack", kMppeUser, 0,
     BestIsAcked},
    {"ccp/stateless-alone", "RFC 3078 s2.1", "stateless without a strength, as Windows 10",
     "Nak with one strength", kMppeUser, 0,
     [](Session& s) { return Narrowed(s, ccp::kStateless); }},
    {"ccp/everything", "RFC 3078 s2.1", "all strengths and compression, as Windows XP",
     "Nak with one strength", kMppeUser, 0, [](Session& s) { return Narrowed(s, 0x010000e1); }},
    {"ccp/stateful-128", "RFC 3078 s2.1", "128 bit without stateless", "Nak with stateless, or Ack",
     kMppeUser, 0, [](Session& s) { return Narrowed(s, ccp::k128Bit); }},
    {"ccp/stateless-40", "RFC 3078 s2.1", "stateless, 40 bit", "Nak with more, or Ack", kMppeUser,
     0, [](Session& s) { return Narrowed(s, ccp::kStateless | ccp::k40Bit); }},
    {"ccp/nothing", "RFC 3078 s2.1", "option 18 without a bit", "Nak with one strength", kMppeUser,
     0, [](Session& s) { return Narrowed(s, 0); }},
    {"ccp/compression-too", "RFC 3078 s2.1", "stateless, 128 bit and compression", "Nak without it",
     kMppeUser, 0, [](Session& s) { return Narrowed(s, kBest | ccp::kMppc); }},
    {"ccp/obsolete-bit", "RFC 3078 s2.1", "stateless, 128 bit and the obsolete bit",
     "Nak without it", kMppeUser, 0,
     [](Session& s) { return Narrowed(s, kBest | ccp::kObsolete); }},
    {"ccp/other-compressors", "RFC 1962 s2.2", "Deflate and BSD beside option 18",
     "Reject with these alone", kMppeUser, 0, OtherCompressors},
    {"ccp/empty-request", "RFC 1661 s5.1", "a request without options",
     "Ack, or Nak with option 18", kMppeUser, 0, EmptyRequest},
    {"ccp/option-length", "RFC 3078 s2", "option 18 of 5 octets", "not acknowledged", kMppeUser, 0,
     BadLength},
    {"ccp/loop", "RFC 1661 s4.6", "option 18 without a bit, 25 times", "an end to the Naks",
     kMppeUser, 0, Loop},
    {"ccp/reset-request-stateless", "RFC 3078 s4.1", "Reset-Request in stateless mode",
     "nothing, or Reset-Ack; the call goes on", kMppeUser | kPing, 0, ResetRequest},
    {"ccp/unknown-code", "RFC 1661 s5.6", "code 77", "Code-Reject", kMppeUser, 0, UnknownCode},
    {"ccp/renegotiate", "RFC 1661 s4.1", "Configure-Request in Opened, as Windows 10",
     "a new start with counts from 0", kMppeUser | kPing, 0, Renegotiate},
    {"ccp/terminate-required", "RFC 3078 s2", "Terminate-Request where MPPE is required",
     "the end of the link", kMppeUser | kMppeRequired | kPing, 0,
     [](Session& s) { return Terminate(s, true); }},
    {"ccp/terminate-optional", "RFC 1661 s5.5", "Terminate-Request where MPPE is optional",
     "Terminate-Ack", kMppeUser | kMppeOptional | kPing, 0,
     [](Session& s) { return Terminate(s, false); }},
    {"ccp/protocol-reject-required", "RFC 3078 s2", "Protocol-Reject of CCP where MPPE is required",
     "the end of the link", kMppeUser | kMppeRequired, 0, ProtocolReject},
    {"ccp/late", "RFC 1962 s2", "CCP once IPCP is open", "Ack, and encryption",
     kMppeUser | kMppeOptional | kPing, 0, Late},
};

}  // namespace

std::span<const Case> CcpCases() { return kCases; }

}  // namespace culvert::load::conformance
