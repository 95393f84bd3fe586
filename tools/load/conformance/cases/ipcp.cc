// IPCP (RFC 1332, RFC 1877).
#include <fmt/format.h>

#include <map>

#include "proto/config/address/address.h"
#include "tools/load/conformance/cases/option_bytes.h"

namespace culvert::load::conformance {

namespace pp = wire::ppp;
namespace ipcp = wire::ppp::ipcp;

namespace {

// Ready: logged in, CCP done if there must be one; nothing of ours in IPCP yet.
bool Ready(Session& s) {
  if (s.ppp.authenticated) {
    return true;
  }
  // Up does it all; IPCP is then begun anew by the case's own request. That is allowed (RFC 1661
  // s4.1), and is what a client does that changes its mind.
  return s.Up();
}

std::optional<PppPacket> Asked(Session& s, const Bytes& options) {
  if (!Ready(s)) {
    return std::nullopt;
  }
  s.ppp.habits.repeat = false;
  return s.Ask(pp::kIpcp, pp::kConfigureRequest, options);
}

std::string Show(const Session& s, const std::optional<PppPacket>& answer) {
  return answer ? fmt::format("{} of {} octets", Describe(*answer), answer->data.size())
         : s.problem().empty() ? s.HeardPpp()
                               : s.problem();
}

uint32_t AddressOf(const PppPacket& packet, uint8_t type) {
  const auto options = pp::ParseOptions(packet.data);
  for (const pp::Option& option : options ? *options : std::vector<pp::Option>{}) {
    if (option.type == type && option.value.size() == 4) {
      return wire::LoadBe32(option.value.data());
    }
  }
  return 0;
}

Result ZeroAddress(Session& s) {
  const auto answer = Asked(s, AddressOption(ipcp::kIpAddress, 0));
  const uint32_t given = answer ? AddressOf(*answer, ipcp::kIpAddress) : 0;
  return Judge{answer && answer->code == pp::kConfigureNak && given != 0, Show(s, answer)};
}

Result GivenAddress(Session& s) {
  if (!Ready(s)) {
    return s.Broken();
  }
  const auto answer = Asked(s, AddressOption(ipcp::kIpAddress, s.ppp.address()));
  return Judge{answer && answer->code == pp::kConfigureAck, Show(s, answer)};
}

Result OtherAddress(Session& s) {
  const auto answer = Asked(s, AddressOption(ipcp::kIpAddress, 0xc0000263));  // 192.0.2.99
  if (answer && answer->code == pp::kConfigureAck) {
    return Departs("acknowledged", "pppd, when its options leave the choice to the client");
  }
  return Judge{answer && answer->code == pp::kConfigureNak, Show(s, answer)};
}

Result GatewaysAddress(Session& s) {
  if (!Ready(s)) {
    return s.Broken();
  }
  const auto answer = Asked(s, AddressOption(ipcp::kIpAddress, s.ppp.gateway()));
  return Judge{answer && answer->code != pp::kConfigureAck, Show(s, answer)};
}

Result NoAddress(Session& s) {
  const auto answer = Asked(s, {});
  return Judge{answer && (answer->code == pp::kConfigureNak || answer->code == pp::kConfigureAck),
               Show(s, answer)};
}

// RejectedOrTaken: an option that a server need not know.
Result RejectedOrTaken(Session& s, const Bytes& option) {
  if (!Ready(s)) {
    return s.Broken();
  }
  const auto answer = Asked(s, Join({AddressOption(ipcp::kIpAddress, s.ppp.address()), option}));
  return Judge{answer && ((answer->code == pp::kConfigureReject && answer->data == option) ||
                          answer->code == pp::kConfigureNak || answer->code == pp::kConfigureAck),
               Show(s, answer)};
}

Result UnknownOption(Session& s) {
  if (!Ready(s)) {
    return s.Broken();
  }
  const Bytes option = {0x90, 6, 255, 255, 255, 0};
  const auto answer = Asked(s, Join({AddressOption(ipcp::kIpAddress, s.ppp.address()), option}));
  return Judge{answer && answer->code == pp::kConfigureReject && answer->data == option,
               Show(s, answer)};
}

// AsWindows: zeros in all five options until the server is content; 0.0.0.0 is never acknowledged.
Result AsWindows(Session& s) {
  if (!Ready(s)) {
    return s.Broken();
  }
  std::map<uint8_t, uint32_t> wanted = {{3, 0}, {129, 0}, {130, 0}, {131, 0}, {132, 0}};
  std::string rounds;
  for (int i = 0; i < 8; ++i) {
    Bytes options;
    for (const auto& [type, address] : wanted) {
      options = Join({options, AddressOption(type, address)});
    }
    const auto answer = Asked(s, options);
    if (!answer) {
      return Violates(rounds + "then " + s.HeardPpp());
    }
    rounds += Describe(*answer) + ", ";
    if (answer->code == pp::kConfigureAck) {
      return Judge{wanted.contains(3) && wanted[3] != 0,
                   rounds + "address " + config::FormatIpv4(wanted[3])};
    }
    const auto listed = pp::ParseOptions(answer->data);
    if (!listed) {
      return Violates("a malformed answer");
    }
    for (const pp::Option& option : *listed) {
      if (answer->code == pp::kConfigureReject) {
        wanted.erase(option.type);
      } else if (option.value.size() == 4) {
        wanted[option.type] = wire::LoadBe32(option.value.data());
      }
    }
  }
  return Violates("no end: " + rounds);
}

Result TheirAddress(Session& s) {
  if (!s.Up()) {
    return s.Broken();
  }
  const uint32_t theirs = s.ppp.gateway();
  const std::string text = fmt::format("{}, and {} for us", config::FormatIpv4(theirs),
                                       config::FormatIpv4(s.ppp.address()));
  if (theirs == 0) {
    return Departs("none", "unnumbered servers");
  }
  return Judge{theirs != s.ppp.address(), text};
}

Result UnknownCode(Session& s) {
  if (!s.Up()) {
    return s.Broken();
  }
  const auto answer = s.Ask(pp::kIpcp, 99, Bytes{1, 2});
  return Judge{
      answer && answer->protocol == pp::kIpcp && answer->code == pp::kCodeReject && s.Alive(),
      Show(s, answer)};
}

Result Renegotiate(Session& s) {
  if (!s.Up()) {
    return s.Broken();
  }
  s.Forget();
  s.ppp.ipcp.theirs_acked = false;
  s.ppp.Request(&s.ppp.ipcp);
  const bool open = s.Wait([&] { return s.ppp.ipcp.open() || s.ppp.terminated; });
  if (s.ppp.terminated) {
    return Departs("the link is ended", "some NAS");
  }
  return Judge{open && (!s.Offers(kPing) || s.Ping()), s.HeardPpp()};
}

Result Terminate(Session& s) {
  if (!s.Up()) {
    return s.Broken();
  }
  s.ppp.habits.repeat = false;
  const auto ack = s.Ask(pp::kIpcp, pp::kTerminateRequest, {});
  return Judge{ack && ack->code == pp::kTerminateAck, Show(s, ack)};
}

Result LyingLength(Session& s) {
  if (!s.Up()) {
    return s.Broken();
  }
  s.Forget();
  s.ppp.Send(Bytes{0x80, 0x21, 1, 7, 0, 8, 3, 64, 1, 2});
  s.Quiet();
  return Judge{s.Alive(), s.HeardPpp()};
}

constexpr Case kCases[] = {
    {"ipcp/address-zero", "RFC 1332 s3.3", "address 0.0.0.0", "Nak with an address", kUser, 0,
     ZeroAddress},
    {"ipcp/address-given", "RFC 1332 s3.3", "the address the server gave", "Ack", kUser, 0,
     GivenAddress},
    {"ipcp/address-other", "RFC 1332 s3.3", "an address of our own choice",
     "Nak, unless the policy lets us choose", kUser, 0, OtherAddress},
    {"ipcp/address-gateways", "RFC 1332 s3.3", "the server's own address", "not acknowledged",
     kUser, 0, GatewaysAddress},
    {"ipcp/address-none", "RFC 1332 s3.3", "a request without an address",
     "Nak that asks for it, or Ack", kUser, 0, NoAddress},
    {"ipcp/as-windows", "RFC 1877 s1", "zeros for address, DNS and WINS",
     "Rejects and Naks until it fits; an address", kUser, 0, AsWindows},
    {"ipcp/option-vj", "RFC 1332 s4", "Van Jacobson compression", "Reject, or Ack", kUser, 0,
     [](Session& s) {
       return RejectedOrTaken(s, {2, 6, 0x00, 0x2d, 15, 1});
     }},
    {"ipcp/option-addresses", "RFC 1332 s3.1", "the old IP-Addresses option", "Reject, Nak or Ack",
     kUser, 0,
     [](Session& s) {
       return RejectedOrTaken(s, {1, 10, 0, 0, 0, 0, 0, 0, 0, 0});
     }},
    {"ipcp/option-unknown", "RFC 1661 s5.4", "option 144, Cisco's netmask", "Reject with it alone",
     kUser, 0, UnknownOption},
    {"ipcp/their-address", "RFC 1332 s3.3", "nothing", "an address of the server, not ours", kUser,
     0, TheirAddress},
    {"ipcp/unknown-code", "RFC 1661 s5.6", "code 99", "Code-Reject", kUser, 0, UnknownCode},
    {"ipcp/renegotiate", "RFC 1661 s4.1", "Configure-Request in Opened", "a new start", kUser, 0,
     Renegotiate},
    {"ipcp/terminate", "RFC 1661 s5.5", "Terminate-Request", "Terminate-Ack", kUser, 0, Terminate},
    {"ipcp/option-length-beyond", "RFC 1661 s6", "an option beyond the packet", "no harm", kUser, 0,
     LyingLength},
};

}  // namespace

std::span<const Case> IpcpCases() { return kCases; }

}  // namespace culvert::load::conformance
