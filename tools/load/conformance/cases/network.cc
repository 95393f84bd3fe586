// The network phase: protocols nobody knows, and IP in the tunnel.
#include <fmt/format.h>

#include "tools/load/conformance/cases/option_bytes.h"

namespace culvert::load::conformance {

namespace pp = wire::ppp;

namespace {

// Unknown: a protocol that the server does not speak, in the network phase.
Result Unknown(Session& s, uint16_t protocol) {
  if (!s.Up()) {
    return s.Broken();
  }
  const Bytes packet = {1, 1, 0, 4};
  s.Forget();
  s.ppp.Send(Join({{static_cast<uint8_t>(protocol >> 8), static_cast<uint8_t>(protocol)}, packet}));
  const auto reject = s.AwaitPpp(pp::kLcp, pp::kProtocolReject, 2000);
  if (!reject) {
    return s.Alive() ? Departs("nothing: " + s.HeardPpp(), "servers that speak it, or count it")
                     : Violates("the call is dead afterwards");
  }
  const Bytes copy =
      Join({{static_cast<uint8_t>(protocol >> 8), static_cast<uint8_t>(protocol)}, packet});
  return Judge{reject->data == copy && s.Alive(), Describe(*reject)};
}

Result Ping(Session& s) {
  if (!s.Up()) {
    return s.Broken();
  }
  return Holds{s.Ping(), "ping through the tunnel"};
}

// Form: IP in another form of the frame: what stands before the protocol's last octet. PFC and ACFC
// are agreed upon.
Result Form(Session& s, const Bytes& head) {
  s.ppp.lcp.options = Join({Magic(s), {7, 2}, {8, 2}});
  if (!s.Up() || !s.Ping()) {
    return s.Broken();
  }
  if (s.ppp.send_mppe) {
    const Bytes inner = s.ppp.send_mppe->Encrypt(Join({{0x00, 0x21}, s.PingPacket(60, 16)}));
    s.tunnel.Send(Join({head, {0xfd}, inner}));
  } else {
    s.tunnel.Send(Join({head, {0x21}, s.PingPacket(60, 16)}));
  }
  const bool answered = s.Wait([&] { return s.HeardPing(60); }, 1500);
  if (answered) {
    return Fine("answered");
  }
  return s.Ping() ? Fine("dropped: the server did not ask for it")
                  : Violates("the call is dead afterwards");
}

// BadInner: an IP packet that no router takes; the call goes on.
Result BadInner(Session& s, const std::function<void(Bytes*)>& spoil) {
  if (!s.Up() || !s.Ping()) {
    return s.Broken();
  }
  Bytes packet = s.PingPacket(61, 16);
  spoil(&packet);
  s.ppp.SendData(packet);
  s.Quiet();
  if (s.HeardPing(61)) {
    return Violates("answered");
  }
  return Holds{s.Ping(), "dropped, the call goes on"};
}

// RepliesFitMru: what is sent to us is never larger than our MRU (RFC 1661 s6.1).
Result RepliesFitMru(Session& s) {
  constexpr uint16_t kMru = 576;
  s.ppp.lcp.options = Join({{1, 4, kMru >> 8, kMru & 0xff}, Magic(s)});
  if (!s.Up() || !s.Ping()) {
    return s.Broken();
  }
  s.Forget();
  const size_t from = s.ppp.heard().size();
  s.SendPing(62, 1000);
  s.Wait([] { return false; }, 1500);
  size_t largest = 0, num = 0;
  for (size_t i = from; i < s.ppp.heard().size(); ++i) {
    const PppPacket& p = s.ppp.heard()[i];
    if (p.protocol == pp::kIpv4 || p.protocol == pp::kMppe) {
      // Header of MPPE and inner protocol field: 4 octets of the MRU.
      largest = std::max(largest, p.information.size() + (p.encrypted ? 4 : 0));
      ++num;
    }
  }
  const std::string text = fmt::format("{} packets of at most {} octets", num, largest);
  return largest > kMru ? Violates(text) : Judge{s.Ping(), text};
}

// FullSize: what fills the MRU of 1500 that everybody must take.
Result FullSize(Session& s, size_t ip_len) {
  if (!s.Up() || !s.Ping()) {
    return s.Broken();
  }
  if (s.Ping(ip_len - 28, 3000)) {
    return Fine("answered");
  }
  return s.Ping() ? Departs("no reply", "paths that drop fragments")
                  : Violates("the call is dead afterwards");
}

Result ClientProtocolRejectsIp(Session& s) {
  if (!s.Up()) {
    return s.Broken();
  }
  s.Forget();
  s.ppp.SendControl(pp::kLcp, pp::kProtocolReject, s.ppp.NextIdentifier(),
                    Bytes{0x80, 0x53, 1, 1, 0, 4});
  return Judge{s.Alive(), s.HeardPpp()};
}

constexpr Case kCases[] = {
    {"network/ping", "RFC 1661 s3.5", "a ping to the server's address", "a reply", kUser | kPing, 0,
     Ping},
    {"network/unknown-ecp", "RFC 1661 s5.7", "ECP (8053)", "Protocol-Reject with a copy", kUser, 0,
     [](Session& s) { return Unknown(s, 0x8053); }},
    {"network/unknown-acscp", "RFC 1661 s5.7", "ACSCP (8235), as macOS sends it",
     "Protocol-Reject with a copy", kUser, 0, [](Session& s) { return Unknown(s, 0x8235); }},
    {"network/unknown-cbcp", "RFC 1661 s5.7", "CBCP (c029)", "Protocol-Reject with a copy", kUser,
     0, [](Session& s) { return Unknown(s, 0xc029); }},
    {"network/unknown-lqr", "RFC 1661 s5.7", "LQR (c025), which was not agreed upon",
     "Protocol-Reject with a copy", kUser, 0, [](Session& s) { return Unknown(s, 0xc025); }},
    {"network/unknown-nbfcp", "RFC 1661 s5.7", "NBFCP (803f), as old Windows sends it",
     "Protocol-Reject with a copy", kUser, 0, [](Session& s) { return Unknown(s, 0x803f); }},
    {"network/unknown-ipxcp", "RFC 1661 s5.7", "IPXCP (802b)", "Protocol-Reject with a copy", kUser,
     0, [](Session& s) { return Unknown(s, 0x802b); }},
    {"network/unknown-bridging", "RFC 1661 s5.7", "BCP (8031), as RouterOS sends it",
     "Protocol-Reject with a copy", kUser, 0, [](Session& s) { return Unknown(s, 0x8031); }},
    {"network/unknown-rejected-by-us", "RFC 1661 s5.7", "Protocol-Reject of what was never sent",
     "no harm", kUser, 0, ClientProtocolRejectsIp},
    {"network/frame-acfc", "RFC 1661 s6.6", "IP without FF 03", "answered, or dropped",
     kUser | kPing, 0, [](Session& s) { return Form(s, {0x00}); }},
    {"network/frame-pfc", "RFC 1661 s6.5", "IP with a protocol field of one octet",
     "answered, or dropped", kUser | kPing, 0,
     [](Session& s) {
       return Form(s, {0xff, 0x03});
     }},
    {"network/frame-both", "RFC 1661 s6.5", "IP with one octet before it", "answered, or dropped",
     kUser | kPing, 0, [](Session& s) { return Form(s, {}); }},
    {"network/ip-checksum", "RFC 1812 s5.2.2", "IP with a wrong header checksum", "dropped",
     kUser | kPing, 0, [](Session& s) { return BadInner(s, [](Bytes* p) { (*p)[10] ^= 0x55; }); }},
    {"network/ip-version", "RFC 1812 s5.2.2", "IP of version 6 in protocol 0021", "dropped",
     kUser | kPing, 0, [](Session& s) { return BadInner(s, [](Bytes* p) { (*p)[0] = 0x65; }); }},
    {"network/ip-length", "RFC 1812 s5.2.2", "IP with a total length beyond the frame", "dropped",
     kUser | kPing, 0, [](Session& s) { return BadInner(s, [](Bytes* p) { (*p)[2] = 5; }); }},
    {"network/ip-half", "RFC 1812 s5.2.2", "12 octets of an IP header", "dropped", kUser | kPing, 0,
     [](Session& s) { return BadInner(s, [](Bytes* p) { p->resize(12); }); }},
    {"network/replies-fit-mru", "RFC 1661 s6.1", "MRU 576 and a ping of 1028 octets",
     "no frame above 576 octets", kUser | kPing, 0, RepliesFitMru},
    {"network/ip-1396", "RFC 2637 s4", "a ping of 1396 octets, Windows' largest with MPPE",
     "a reply", kUser | kPing, 0, [](Session& s) { return FullSize(s, 1396); }},
    {"network/ip-1496", "RFC 1661 s6.1", "a ping of 1496 octets, in outer fragments", "a reply",
     kUser | kPing, 0, [](Session& s) { return FullSize(s, 1496); }},
};

}  // namespace

std::span<const Case> NetworkCases() { return kCases; }

}  // namespace culvert::load::conformance
