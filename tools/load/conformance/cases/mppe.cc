// MPPE packets (RFC 3078 s3), right and wrong.
#include <fmt/format.h>

#include "tools/load/conformance/cases/option_bytes.h"

namespace culvert::load::conformance {

namespace pp = wire::ppp;
namespace ccp = wire::ppp::ccp;

namespace {

constexpr uint32_t kBest = ccp::kStateless | ccp::k128Bit;

Result UpAndPing(Session& s, uint32_t bits) {
  if (!s.Up(bits)) {
    return s.Broken();
  }
  return Holds{s.Ping(), "ping through the tunnel"};
}

// Headers: those of the first `num` packets of the server, made by as many pings.
bool Headers(Session& s, unsigned num) {
  if (!s.Up(kBest)) {
    return false;
  }
  for (unsigned i = 0; i < num + 5 && s.ppp.receive_mppe->headers.size() < num; ++i) {
    s.Ping();
  }
  return s.ppp.receive_mppe->headers.size() >= num;
}

Result FirstHeader(Session& s) {
  if (!Headers(s, 1)) {
    return s.Broken();
  }
  const uint16_t header = s.ppp.receive_mppe->headers.front();
  return Judge{header == 0x9000, fmt::format("{:04x}", header)};
}

Result CountsUp(Session& s) {
  constexpr unsigned kNum = 10;
  if (!Headers(s, kNum)) {
    return s.Broken();
  }
  for (uint16_t i = 0; i < kNum; ++i) {
    const uint16_t header = s.ppp.receive_mppe->headers[i];
    if (header != (0x9000 | i)) {
      return Violates(fmt::format("packet {} has {:04x}", i, header));
    }
  }
  return Fine("9000, 9001, 9002 and so on");
}

// Dropped: a wrong packet in an encrypted call, in which a ping must not be answered.
Result Dropped(Session& s, const std::function<void(const Bytes& ping)>& send,
               std::string_view who_answers) {
  constexpr uint16_t kSequence = 77;
  if (!s.Up(kBest) || !s.Ping()) {
    return s.Broken();
  }
  const Bytes packet = s.PingPacket(kSequence, 16);
  s.Forget();
  send(Join({{0x00, 0x21}, packet}));
  s.Quiet();
  const bool answered = s.HeardPing(kSequence);
  if (!s.Ping()) {
    return Violates("the call is dead afterwards: " + s.HeardPpp());
  }
  if (answered) {
    return who_answers.empty() ? Violates("answered") : Departs("answered", who_answers);
  }
  return Fine("dropped, the call goes on");
}

Result NotEncrypted(Session& s) {
  return Dropped(
      s,
      [&](const Bytes& ping) {
        Bytes packet = Join({{0x80, 0x00}, ping});  // D = 0
        wire::StoreBe16(packet.data(), 0x8000 | s.ppp.send_mppe->next_count());
        s.ppp.SendMppe(packet);
      },
      "");
}

Result NotFlushed(Session& s) {
  return Dropped(
      s,
      [&](const Bytes& ping) {
        Bytes packet = s.ppp.send_mppe->Encrypt(ping);
        packet[0] &= 0x7f;  // A = 0
        s.ppp.SendMppe(packet);
      },
      "servers that look at the key only");
}

Result OtherBits(Session& s) {
  if (!s.Up(kBest) || !s.Ping()) {
    return s.Broken();
  }
  Bytes packet = s.ppp.send_mppe->Encrypt(Join({{0x00, 0x21}, s.PingPacket(78, 16)}));
  packet[0] |= 0x60;  // B and C
  s.ppp.SendMppe(packet);
  const bool answered = s.Wait([&] { return s.HeardPing(78); }, 1000);
  return Judge{s.Ping(), answered ? "answered" : "dropped, the call goes on"};
}

Result InClear(Session& s) {
  return Dropped(
      s, [&](const Bytes& ping) { s.ppp.Send(ping); },
      s.Offers(kMppeRequired) ? "" : "Linux, which only notes it");
}

Result Truncated(Session& s) {
  if (!s.Up(kBest) || !s.Ping()) {
    return s.Broken();
  }
  s.ppp.SendMppe(Bytes{0x90});
  s.ppp.SendMppe({});
  return Holds{s.Ping(), "dropped, the call goes on"};
}

Result OnlyHeader(Session& s) {
  if (!s.Up(kBest) || !s.Ping()) {
    return s.Broken();
  }
  s.ppp.SendMppe(s.ppp.send_mppe->Encrypt({}));
  return Holds{s.Ping(), "the call goes on"};
}

// Inner: a protocol field of another form inside.
Result InnerCompressed(Session& s) {
  s.ppp.lcp.options = Join({Magic(s), {7, 2}, {8, 2}});
  if (!s.Up(kBest) || !s.Ping()) {
    return s.Broken();
  }
  s.ppp.SendMppe(s.ppp.send_mppe->Encrypt(Join({{0x21}, s.PingPacket(79, 16)})));
  const bool answered = s.Wait([&] { return s.HeardPing(79); }, 1000);
  return answered ? Fine("answered") : Holds{s.Ping(), "dropped, the call goes on"};
}

Result OuterCompressed(Session& s) {
  if (!s.Up(kBest) || !s.Ping()) {
    return s.Broken();
  }
  const Bytes packet = s.ppp.send_mppe->Encrypt(Join({{0x00, 0x21}, s.PingPacket(80, 16)}));
  s.tunnel.Send(Join({{0xfd}, packet}));
  const bool answered = s.Wait([&] { return s.HeardPing(80); }, 1000);
  return Judge{s.Ping(), answered ? "answered" : "dropped, the call goes on"};
}

Result InnerControl(Session& s) {
  if (!s.Up(kBest) || !s.Ping()) {
    return s.Broken();
  }
  const uint8_t identifier = s.ppp.NextIdentifier();
  const Bytes echo = s.EchoFrame(identifier);
  s.Forget();
  s.ppp.SendMppe(s.ppp.send_mppe->Encrypt(Octets(echo).subspan(2)));
  s.Quiet();
  const bool answered = s.CountEchoReplies(identifier) > 0;
  if (!s.Ping()) {
    return Violates("the call is dead afterwards");
  }
  return answered ? Departs("answered", "Linux, which takes any protocol out of MPPE")
                  : Fine("dropped, the call goes on");
}

// ControlInClear: LCP is never encrypted (RFC 3078 s3).
Result ControlInClear(Session& s) {
  if (!s.Up(kBest) || !s.Ping()) {
    return s.Broken();
  }
  s.Forget();
  const bool alive = s.Alive();
  bool clear = true;
  for (const PppPacket& p : s.ppp.heard()) {
    clear = clear && (p.protocol < 0x8000 || !p.encrypted);
  }
  return Judge{alive && clear, clear ? "in clear" : "encrypted"};
}

// ManyBad: Linux ends the link after 1600 points of bad packets.
Result ManyBad(Session& s) {
  constexpr int kNum = 1700;
  if (!s.Up(kBest) || !s.Ping()) {
    return s.Broken();
  }
  for (int i = 0; i < kNum; ++i) {
    Bytes packet = Join({{0x10, 0x00}, Bytes(20, 0x5a)});  // A = 0
    s.ppp.SendMppe(packet);
    if (i % 64 == 63) {
      s.Wait([] { return false; }, 2);
    }
  }
  if (s.Ping(32, 9000)) {  // perhaps after a new start of CCP
    return Fine("dropped, the call goes on");
  }
  return s.Ended(5000) ? Departs("the link is ended", "Linux after 16 of them")
                       : Violates("the call is dead");
}

constexpr uint32_t kMppeUser = kUser | kMsChapV2 | kMppe | kPing;

constexpr Case kCases[] = {
    {"mppe/128", "RFC 3079 s3.4", "128 bit, stateless", "pings come back", kMppeUser, 0,
     [](Session& s) { return UpAndPing(s, kBest); }},
    {"mppe/56", "RFC 3079 s3.3", "56 bit, stateless", "pings come back", kUser | kMppe56 | kPing, 0,
     [](Session& s) { return UpAndPing(s, ccp::kStateless | ccp::k56Bit); }},
    {"mppe/40", "RFC 3079 s3.2", "40 bit, stateless", "pings come back", kUser | kMppe40 | kPing, 0,
     [](Session& s) { return UpAndPing(s, ccp::kStateless | ccp::k40Bit); }},
    {"mppe/128-mschap", "RFC 3079 s2.3", "128 bit after MS-CHAP version 1", "pings come back",
     kUser | kMppe | kMsChap | kPing, 0,
     [](Session& s) {
       s.ppp.method = AuthMethod::kMsChap;
       return UpAndPing(s, kBest);
     }},
    {"mppe/first-header", "RFC 3078 s3.1", "pings", "9000 as the first header", kMppeUser, 0,
     FirstHeader},
    {"mppe/counts-up", "RFC 3078 s3.1", "pings", "A, D and the next count in every header",
     kMppeUser, 0, CountsUp},
    {"mppe/lcp-in-clear", "RFC 3078 s3", "LCP Echo-Request", "a reply in clear", kMppeUser, 0,
     ControlInClear},
    {"mppe/not-encrypted", "RFC 3078 s9", "D = 0 and a packet in clear", "dropped", kMppeUser, 0,
     NotEncrypted},
    {"mppe/not-flushed", "RFC 3078 s3.1", "A = 0 in stateless mode", "dropped", kMppeUser, 0,
     NotFlushed},
    {"mppe/bits-b-and-c", "RFC 3078 s3.1", "B and C set", "no harm", kMppeUser, 0, OtherBits},
    {"mppe/data-in-clear", "RFC 3078 s9", "IP in clear in an encrypted call", "dropped", kMppeUser,
     0, InClear},
    {"mppe/truncated", "RFC 3078 s3.1", "one octet of a header, and none", "dropped", kMppeUser, 0,
     Truncated},
    {"mppe/empty", "RFC 3078 s3.1", "a header without data", "the call goes on", kMppeUser, 0,
     OnlyHeader},
    {"mppe/inner-protocol-1-octet", "RFC 1661 s6.5", "a compressed protocol field inside",
     "answered, or dropped", kMppeUser, 0, InnerCompressed},
    {"mppe/outer-protocol-1-octet", "RFC 1661 s6.5", "fd and no FF 03", "answered, or dropped",
     kMppeUser, 0, OuterCompressed},
    {"mppe/inner-lcp", "RFC 3078 s3", "LCP inside MPPE", "dropped: only 0021 to 00fa are encrypted",
     kMppeUser, 0, InnerControl},
    {"mppe/1700-bad", "RFC 3078 s4", "1700 packets with A = 0", "the call goes on", kMppeUser, 0,
     ManyBad},
};

}  // namespace

std::span<const Case> MppeCases() { return kCases; }

}  // namespace culvert::load::conformance
