// MPPE when packets are lost, late or forged (RFC 3078 s4).
#include <fmt/format.h>

#include "tools/load/conformance/cases/option_bytes.h"

namespace culvert::load::conformance {

namespace pp = wire::ppp;
namespace ccp = wire::ppp::ccp;

namespace {

constexpr uint32_t kBest = ccp::kStateless | ccp::k128Bit;
constexpr char kLinuxLate[] = "Linux, which takes such a jump for a late packet";

bool Up(Session& s) { return s.Up(kBest) && s.Ping(); }

// Lost: so many packets do not arrive, in GRE and in MPPE.
Result Lost(Session& s, unsigned num) {
  if (!Up(s)) {
    return s.Broken();
  }
  s.ppp.send_mppe->Skip(num);
  s.tunnel.next_sequence += num;
  for (uint16_t i = 0; i < 8; ++i) {
    const uint16_t sequence = 100 + i;
    s.SendPing(sequence);
    if (s.Wait([&] { return s.HeardPing(sequence); }, 600)) {
      return Fine(i == 0 ? "the packet after the gap is answered"
                         : fmt::format("packet {} after the gap is answered", i + 1));
    }
  }
  return num > 2047 ? Departs("no packet after the gap is answered", kLinuxLate)
                    : Violates("no packet after the gap is answered");
}

// Forged: one MPPE packet of another count, then the real ones go on.
Result Forged(Session& s, int ahead) {
  if (!Up(s)) {
    return s.Broken();
  }
  Bytes packet(40, 0x77);
  wire::StoreBe16(packet.data(), 0x9000 | ((s.ppp.send_mppe->next_count() + ahead) & 0x0fff));
  s.ppp.SendMppe(packet);
  for (int i = 0; i < 4; ++i) {
    if (s.Ping(32, 900)) {
      return Fine("dropped, the call goes on");
    }
  }
  return s.Alive() ? Departs("the real packets are no longer decrypted", "Linux")
                   : Departs("the call is dead", "Linux");
}

Result CountWraps(Session& s) {
  constexpr unsigned kNum = 4200;
  if (!Up(s)) {
    return s.Broken();
  }
  for (unsigned i = 0; i < kNum; ++i) {
    Bytes packet = s.PingPacket(1, 0);
    packet[20] = 0;  // an Echo Reply: nobody answers it
    packet[22] = packet[23] = 0;
    s.ppp.SendData(packet);
    if (i % 32 == 31) {
      s.Wait([] { return false; }, 2);
    }
    if (i % 512 == 511 && !s.Ping()) {
      return Violates(fmt::format("no ping after {} packets", i + 1));
    }
  }
  return Holds{s.Ping(), "pings come back after 4200 packets"};
}

Result Duplicate(Session& s) {
  constexpr uint16_t kSequence = 99;
  if (!Up(s)) {
    return s.Broken();
  }
  const Bytes packet = s.ppp.send_mppe->Encrypt(Join({{0x00, 0x21}, s.PingPacket(kSequence, 16)}));
  s.ppp.SendMppe(packet);
  s.ppp.SendMppe(packet);  // with a new GRE number
  s.Quiet();
  unsigned replies = 0;
  for (const PppPacket& p : s.ppp.heard()) {
    replies += p.protocol == pp::kIpv4 && p.information.size() > 27 && p.information[20] == 0 &&
                       wire::LoadBe16(&p.information[26]) == kSequence
                   ? 1
                   : 0;
  }
  if (!s.Ping()) {
    return Violates("the call is dead afterwards");
  }
  return Judge{replies <= 1, fmt::format("{} replies, the call goes on", replies)};
}

// Swapped: two packets overtake each other, GRE numbers and counts alike.
Result Swapped(Session& s) {
  if (!Up(s)) {
    return s.Broken();
  }
  const Bytes first = s.ppp.send_mppe->Encrypt(Join({{0x00, 0x21}, s.PingPacket(90, 16)}));
  const Bytes second = s.ppp.send_mppe->Encrypt(Join({{0x00, 0x21}, s.PingPacket(91, 16)}));
  const uint32_t sequence = s.tunnel.next_sequence;
  s.tunnel.SendAt(sequence + 1, Join({{0xff, 3, 0, 0xfd}, second}));
  s.tunnel.SendAt(sequence, Join({{0xff, 3, 0, 0xfd}, first}));
  s.tunnel.next_sequence += 2;
  s.Wait([&] { return s.HeardPing(90) && s.HeardPing(91); }, 1000);
  const int answered = (s.HeardPing(90) ? 1 : 0) + (s.HeardPing(91) ? 1 : 0);
  return Judge{answered > 0 && s.Ping(), fmt::format("{} of 2 answered", answered)};
}

Result Stateful(Session& s) {
  constexpr uint16_t kPings = 300;  // beyond the key change at 255
  if (!s.Up(ccp::k128Bit)) {
    return s.Broken();
  }
  unsigned lost = 0;
  for (uint16_t i = 0; i < kPings; ++i) {
    s.SendPing(i, 8);
    lost += s.Wait([&] { return s.HeardPing(i); }, 1000) ? 0 : 1;
    if (lost > 3) {
      return Violates(fmt::format("pings are lost before packet {}", i));
    }
  }
  return Judge{lost == 0, fmt::format("{} of 300 pings lost", lost)};
}

Result StatefulReset(Session& s) {
  if (!s.Up(ccp::k128Bit) || !s.Ping()) {
    return s.Broken();
  }
  s.Forget();
  (void)s.ppp.send_mppe->Encrypt(Join({{0x00, 0x21}, s.PingPacket(1, 8)}));  // lost
  s.tunnel.next_sequence++;
  s.SendPing(50);
  const auto request = s.AwaitPpp(pp::kCcp, pp::kResetRequest);
  if (!request) {
    return Violates("no Reset-Request: " + s.HeardPpp());
  }
  s.ppp.send_mppe->Flush();
  s.SendPing(51);
  if (s.Wait([&] { return s.HeardPing(51); }, 1500)) {
    return Fine("Reset-Request, and pings after the flushed packet");
  }
  return Departs("Reset-Request, but no ping after the flushed packet",
                 "Linux, which changes keys with each of them");
}

constexpr uint32_t kMppeUser = kUser | kMsChapV2 | kMppe | kPing;

constexpr Case kCases[] = {
    {"mppe/lost-1", "RFC 3078 s4.1", "one packet lost", "the next is answered", kMppeUser, 0,
     [](Session& s) { return Lost(s, 1); }},
    {"mppe/lost-255", "RFC 3078 s4.1", "255 packets lost", "the next is answered", kMppeUser, 0,
     [](Session& s) { return Lost(s, 255); }},
    {"mppe/lost-256", "RFC 3078 s4.1", "256 packets lost", "the next is answered", kMppeUser, 0,
     [](Session& s) { return Lost(s, 256); }},
    {"mppe/lost-999", "RFC 3078 s4.1", "999 packets lost", "the next is answered", kMppeUser, 0,
     [](Session& s) { return Lost(s, 999); }},
    {"mppe/lost-2047", "RFC 3078 s4.1", "2047 packets lost", "the next is answered", kMppeUser, 0,
     [](Session& s) { return Lost(s, 2047); }},
    {"mppe/lost-4095", "RFC 3078 s4.1", "4095 packets lost, which the GRE numbers show",
     "the next is answered", kMppeUser, 0, [](Session& s) { return Lost(s, 4095); }},
    {"mppe/lost-5000", "RFC 3078 s4.1", "5000 packets lost, which the GRE numbers show",
     "the next is answered", kMppeUser, 0, [](Session& s) { return Lost(s, 5000); }},
    {"mppe/forged-2047-ahead", "RFC 3078 s4.1", "a forged packet 2047 counts ahead",
     "dropped: GRE shows that it cannot be", kMppeUser, 0,
     [](Session& s) { return Forged(s, 2047); }},
    {"mppe/forged-2048-ahead", "RFC 3078 s4.1", "a forged packet 2048 counts ahead",
     "dropped: GRE shows that it cannot be", kMppeUser, 0,
     [](Session& s) { return Forged(s, 2048); }},
    {"mppe/forged-2049-ahead", "RFC 3078 s4.1", "a forged packet 2049 counts ahead",
     "dropped: GRE shows that it cannot be", kMppeUser, 0,
     [](Session& s) { return Forged(s, 2049); }},
    {"mppe/forged-1-behind", "RFC 3078 s4.1", "a forged packet one count behind", "dropped",
     kMppeUser, 0, [](Session& s) { return Forged(s, -1); }},
    {"mppe/forged-next", "RFC 3078 s4.1", "a forged packet with the next count",
     "dropped, the call goes on", kMppeUser, 0, [](Session& s) { return Forged(s, 0); }},
    {"mppe/duplicate", "RFC 3078 s4.1", "an encrypted packet twice, with new GRE numbers",
     "one reply", kMppeUser, 0, Duplicate},
    {"mppe/swapped", "RFC 3078 s4.1", "two packets that overtake each other",
     "both answered, or the late one dropped", kMppeUser, 0, Swapped},
    {"mppe/count-wraps", "RFC 3078 s3.1", "4200 packets", "pings come back after the wrap",
     kMppeUser, 0, CountWraps},
    {"mppe/stateful-300", "RFC 3078 s4.2", "300 pings in stateful mode", "none lost",
     kUser | kMppeStateful | kPing, 0, Stateful},
    {"mppe/stateful-reset", "RFC 3078 s4.3", "a packet lost in stateful mode",
     "Reset-Request, then a flushed packet is taken", kUser | kMppeStateful | kPing, 0,
     StatefulReset},
};

}  // namespace

std::span<const Case> MppeLossCases() { return kCases; }

}  // namespace culvert::load::conformance
