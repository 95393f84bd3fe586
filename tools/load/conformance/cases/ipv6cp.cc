// IPV6CP (RFC 5072).
#include <fmt/format.h>

#include "tools/load/conformance/cases/option_bytes.h"

namespace culvert::load::conformance {

namespace pp = wire::ppp;

namespace {

Bytes Identifier(const Bytes& eight) { return Join({{1, 10}, eight}); }

// Asked: in a call with IPv4 up, our IPV6CP Configure-Request.
std::optional<PppPacket> Asked(Session& s, const Bytes& options) {
  s.ppp.want_ipv6 = true;
  if (!s.Up()) {
    return std::nullopt;
  }
  s.Wait([&] { return s.ppp.ipv6cp.open(); }, s.target().wait_ms);
  s.ppp.habits.repeat = false;
  return s.Ask(pp::kIpv6cp, pp::kConfigureRequest, options);
}

std::string Show(const Session& s, const std::optional<PppPacket>& answer) {
  return answer ? Describe(*answer) : s.HeardPpp();
}

bool HasNonZeroIdentifier(const PppPacket& packet) {
  const auto options = pp::ParseOptions(packet.data);
  return options && options->size() == 1 && options->front().value.size() == 8 &&
         std::any_of(options->front().value.begin(), options->front().value.end(),
                     [](uint8_t octet) { return octet != 0; });
}

// Refused: without IPv6 on the server, a client that asks for it is told.
Result Refused(Session& s) {
  if (!s.Up()) {
    return s.Broken();
  }
  const auto answer =
      s.Ask(pp::kIpv6cp, pp::kConfigureRequest, Identifier({0, 0, 0, 0, 0, 0, 0, 0x42}));
  if (!answer) {
    return s.Alive() ? Departs("nothing", "some NAS") : Violates("the call is dead afterwards");
  }
  return Judge{s.Alive(), Describe(*answer)};
}

Result Own(Session& s) {
  const auto answer = Asked(s, Identifier({2, 0, 0, 1, 2, 3, 4, 0x43}));
  return Judge{answer && (answer->code == pp::kConfigureAck || answer->code == pp::kConfigureNak),
               Show(s, answer)};
}

Result Zero(Session& s) {
  const auto answer = Asked(s, Identifier(Bytes(8, 0)));
  return Judge{answer && answer->code == pp::kConfigureNak && HasNonZeroIdentifier(*answer),
               Show(s, answer)};
}

Result Same(Session& s) {
  s.ppp.want_ipv6 = true;
  if (!s.Up()) {
    return s.Broken();
  }
  s.Wait([&] { return s.ppp.ipv6cp.theirs_acked; }, s.target().wait_ms);
  const auto answer = Asked(s, s.ppp.ipv6cp.theirs);
  return Judge{answer && answer->code == pp::kConfigureNak && answer->data != s.ppp.ipv6cp.theirs,
               Show(s, answer)};
}

Result Missing(Session& s) {
  const auto answer = Asked(s, {});
  return Judge{answer && (answer->code == pp::kConfigureNak || answer->code == pp::kConfigureAck ||
                          answer->code == pp::kConfigureReject),
               Show(s, answer)};
}

// KeepsIpv4: the end of IPV6CP is not the end of the call.
Result KeepsIpv4(Session& s) {
  s.ppp.want_ipv6 = true;
  if (!s.Up() || !s.Wait([&] { return s.ppp.ipv6cp.open(); }, s.target().wait_ms)) {
    return s.Broken();
  }
  s.ppp.habits.repeat = false;
  const auto ack = s.Ask(pp::kIpv6cp, pp::kTerminateRequest, {});
  return Judge{ack && ack->code == pp::kTerminateAck && s.Ping(),
               Show(s, ack) + (s.ppp.terminated ? ", and the link is ended" : "")};
}

Result RejectedKeepsIpv4(Session& s) {
  if (!s.Up()) {
    return s.Broken();
  }
  s.ppp.SendControl(pp::kLcp, pp::kProtocolReject, s.ppp.NextIdentifier(),
                    Bytes{0x80, 0x57, 1, 1, 0, 4});
  return Holds{s.Ping(), "IPv4 goes on"};
}

Result RouterAdvertisement(Session& s) {
  s.ppp.want_ipv6 = true;
  if (!s.Up() || !s.Wait([&] { return s.ppp.ipv6cp.open(); }, s.target().wait_ms)) {
    return s.Broken();
  }
  // Router Solicitation from :: to ff02::2 (RFC 4861 s4.1).
  Bytes packet = {0x60, 0, 0, 0, 0, 8, 58, 255};
  packet = Join({packet,
                 Bytes(16, 0),
                 {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2},
                 {133, 0, 0x7b, 0xb8, 0, 0, 0, 0}});
  s.Forget();
  s.ppp.SendData(packet, pp::kIpv6);
  const auto advertisement = s.AwaitPpp(
      [](const PppPacket& p) {
        return p.protocol == pp::kIpv6 && p.information.size() > 40 && p.information[40] == 134;
      },
      3000);
  return advertisement ? Fine("Router Advertisement")
                       : Departs("nothing", "pppd, which leaves that to another program");
}

constexpr Case kCases[] = {
    {"ipv6cp/asked-without-ipv6", "RFC 1661 s5.7", "IPV6CP, whatever the server thinks of it",
     "an answer, and IPv4 goes on", kUser, 0, Refused},
    {"ipv6cp/rejected-by-us", "RFC 5072 s3", "Protocol-Reject of IPV6CP", "IPv4 goes on",
     kUser | kPing, 0, RejectedKeepsIpv4},
    {"ipv6cp/identifier", "RFC 5072 s4.1", "an interface identifier", "Ack, or Nak with another",
     kUser | kIpv6, 0, Own},
    {"ipv6cp/identifier-zero", "RFC 5072 s4.1", "interface identifier 0", "Nak with another than 0",
     kUser | kIpv6, 0, Zero},
    {"ipv6cp/identifier-same", "RFC 5072 s4.1", "the server's own identifier", "Nak with another",
     kUser | kIpv6, 0, Same},
    {"ipv6cp/identifier-none", "RFC 5072 s4.1", "a request without options", "Nak, Reject or Ack",
     kUser | kIpv6, 0, Missing},
    {"ipv6cp/terminate", "RFC 5072 s3", "Terminate-Request of IPV6CP",
     "Terminate-Ack, and IPv4 goes on", kUser | kIpv6 | kPing, 0, KeepsIpv4},
    {"ipv6cp/router-solicitation", "RFC 4861 s6.2.6", "Router Solicitation", "Router Advertisement",
     kUser | kIpv6, 0, RouterAdvertisement},
};

}  // namespace

std::span<const Case> Ipv6cpCases() { return kCases; }

}  // namespace culvert::load::conformance
