// Sequence and acknowledgement numbers, and the window (RFC 2637 s4.2 to s4.4).
#include <fmt/format.h>

#include <numeric>

#include "tools/load/conformance/session/session.h"

namespace culvert::load::conformance {

namespace pp = wire::ppp;

namespace {

constexpr char kLinux[] = "Linux, accel-ppp and pptp-linux";

// FirstSequence: LCP opens whatever our first number is.
template <uint32_t kFirst>
Result FirstSequence(Session& s) {
  if (!s.Dial()) {
    return s.Broken();
  }
  s.tunnel.next_sequence = kFirst;
  if (s.OpenLcp() && s.Alive()) {
    return Fine("LCP opens");
  }
  return kFirst > 1 ? Departs("LCP does not open", "pptpd, which expects numbers near 0")
                    : Violates(s.HeardPpp());
}

Result TheirFirst(Session& s) {
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  const uint32_t first = s.tunnel.first_received.value_or(0xffff);
  const std::string text = fmt::format("{}", first);
  return first == 0 ? Fine(text) : Departs(text, "Linux and accel-ppp, which begin with 1");
}

Result TheirOrder(Session& s) {
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  for (int i = 0; i < 20; ++i) {
    if (!s.Alive()) {
      return Violates("an Echo-Request is not answered");
    }
  }
  return s.tunnel.num_disordered == 0
             ? Fine("one after the other")
             : Violates(fmt::format("{} numbers out of order", s.tunnel.num_disordered));
}

Result TheyAcknowledge(Session& s) {
  if (!s.OpenLcp() || !s.Alive()) {
    return s.Broken();
  }
  const uint32_t sent = s.tunnel.next_sequence - 1;
  s.Wait([&] { return s.tunnel.highest_ack == sent; }, 1500);
  if (!s.tunnel.highest_ack) {
    return Violates("no acknowledgement at all");
  }
  const std::string text = fmt::format("{} of {}", *s.tunnel.highest_ack, sent);
  return *s.tunnel.highest_ack > sent && sent < 0x7fffffff ? Violates(text) : Fine(text);
}

// LoneAck: what needs no answer is acknowledged all the same.
Result LoneAck(Session& s) {
  if (!s.OpenLcp() || !s.Alive()) {
    return s.Broken();
  }
  std::vector<uint8_t> data(4);
  wire::StoreBe32(data.data(), s.ppp.magic);
  s.ppp.SendControl(pp::kLcp, pp::kDiscardRequest, s.ppp.NextIdentifier(), data);
  const uint32_t sent = s.tunnel.next_sequence - 1;
  if (s.Wait([&] { return s.tunnel.highest_ack == sent; }, 2000)) {
    return Fine("acknowledged");
  }
  return Departs("no acknowledgement in 2 s", "Linux and accel-ppp, which send none alone");
}

// Echoes sends echo requests with these numbers, relative to the next one, and says how many of
// their replies come; the numbers after them are fresh.
struct Echoes {
  unsigned answered = 0;
  bool alive = false;
};
Echoes SendEchoes(Session& s, const std::vector<int64_t>& offsets, int ms = 1500) {
  const uint32_t base = s.tunnel.next_sequence;
  int64_t highest = 0;
  std::vector<uint8_t> identifiers;
  s.Forget();
  for (const int64_t offset : offsets) {
    identifiers.push_back(s.ppp.NextIdentifier());
    s.tunnel.SendAt(base + static_cast<uint32_t>(offset), s.EchoFrame(identifiers.back()));
    highest = std::max(highest, offset);
  }
  s.tunnel.next_sequence = base + static_cast<uint32_t>(highest) + 1;
  Echoes out;
  s.Wait(
      [&] {
        out.answered = 0;
        for (const uint8_t identifier : identifiers) {
          out.answered += s.CountEchoReplies(identifier) > 0 ? 1 : 0;
        }
        return out.answered == offsets.size();
      },
      ms);
  out.alive = s.Alive();
  return out;
}

// Pattern: packets in this order; all answered, or the late ones dropped; the call goes on.
Result Pattern(Session& s, const std::vector<int64_t>& offsets) {
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  const Echoes echoes = SendEchoes(s, offsets);
  return Judge{echoes.alive && echoes.answered > 0,
               fmt::format("{} of {} answered, the call {}", echoes.answered, offsets.size(),
                           echoes.alive ? "goes on" : "is dead")};
}

Result Duplicate(Session& s) {
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  const uint8_t identifier = s.ppp.NextIdentifier();
  s.Forget();
  const uint32_t sequence = s.tunnel.next_sequence++;
  s.tunnel.SendAt(sequence, s.EchoFrame(identifier));
  s.tunnel.SendAt(sequence, s.EchoFrame(identifier));
  s.Quiet();
  const bool alive = s.Alive();  // a slow server's replies come before this one's
  const unsigned replies = s.CountEchoReplies(identifier);
  if (replies == 2) {
    return Departs("answered twice", "Linux, which lets old LCP echoes pass");
  }
  return Judge{replies == 1 && alive, fmt::format("{} replies", replies)};
}

Result Old(Session& s, uint32_t behind) {
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  for (int i = 0; i < 5; ++i) {
    if (!s.Alive()) {
      return Violates("an Echo-Request is not answered");
    }
  }
  const uint8_t identifier = s.ppp.NextIdentifier();
  s.Forget();
  s.tunnel.SendAt(s.tunnel.next_sequence - 1 - behind, s.EchoFrame(identifier));
  s.Quiet();
  if (s.CountEchoReplies(identifier) > 0) {
    return s.Alive() ? Departs("answered", "Linux, which lets old LCP echoes pass")
                     : Violates("answered, and then the call is dead");
  }
  if (s.Alive() || s.Alive()) {
    return Fine("dropped, the call goes on");
  }
  return behind > 1000 ? Departs("the call is dead afterwards",
                                 "pptpd and Linux, which take it for a number far ahead")
                       : Violates("the call is dead afterwards");
}

// Jump: after one packet far ahead, those that continue the old numbers.
Result Poison(Session& s, uint32_t ahead) {
  if (!s.OpenLcp() || !s.Alive()) {
    return s.Broken();
  }
  const uint32_t next = s.tunnel.next_sequence;
  s.tunnel.SendAt(next + ahead, s.EchoFrame(s.ppp.NextIdentifier()));
  s.Quiet();
  s.tunnel.next_sequence = next;
  for (int i = 0; i < 5; ++i) {
    if (s.Alive(1000)) {
      return Fine("the call goes on with the old numbers");
    }
  }
  s.tunnel.next_sequence = next + ahead + 1;
  return s.Alive() ? Departs("only numbers after the jump are taken", kLinux)
                   : Violates("the call is dead");
}

Result Gap(Session& s, uint32_t lost) {
  if (!s.OpenLcp() || !s.Alive()) {
    return s.Broken();
  }
  s.tunnel.next_sequence += lost;
  for (int i = 0; i < 40; ++i) {
    if (s.Alive(500)) {
      return Fine(i == 0 ? "the packet after the gap is answered"
                         : fmt::format("the call goes on with the {}th packet", i + 1));
    }
  }
  return Violates("no packet after the gap is answered");
}

// Wrap: the numbers 0xfffffffe to 1, `lost` of which is not sent.
Result Wrap(Session& s, int64_t lost) {
  if (!s.Dial()) {
    return s.Broken();
  }
  s.tunnel.next_sequence = 0xffffffe0;
  if (!s.OpenLcp()) {
    return {Verdict::kSkipped, "the server takes no first number that high"};
  }
  while (s.tunnel.next_sequence > 100 && s.tunnel.next_sequence < 0xffffffff) {
    if (!s.Alive()) {
      return Violates(fmt::format("number {:08x} is not answered", s.tunnel.next_sequence - 1));
    }
  }
  s.tunnel.next_sequence += lost == 0xffffffff ? 1 : 0;
  for (int i = 0; i < 5; ++i) {
    if (s.Alive(1500)) {
      return Fine("the call goes on after the wrap");
    }
  }
  return lost != 0 ? Departs("the call is dead after the wrap", kLinux)
                   : Violates("the call is dead after the wrap");
}

// Window: with a receive window of 2 and nothing acknowledged, no more than 2 packets are due.
Result Window(Session& s) {
  constexpr uint16_t kWindow = 2;
  constexpr uint16_t kPings = 10;
  s.call_request.receive_window = kWindow;
  if (!s.Up() || !s.Ping()) {
    return s.Broken();
  }
  s.Quiet();
  s.tunnel.sends_acks = false;
  s.Forget();
  for (uint16_t i = 0; i < kPings; ++i) {
    s.SendPing(i);
  }
  s.Wait([] { return false; }, 200);
  unsigned heard = 0;
  for (uint16_t i = 0; i < kPings; ++i) {
    heard += s.HeardPing(i) ? 1 : 0;
  }
  const std::string text = fmt::format("{} packets at once", heard);
  s.tunnel.sends_acks = true;
  return heard <= kWindow ? Fine(text)
                          : Departs(text, "Linux, Windows and accel-ppp, which ignore windows");
}

std::vector<int64_t> Reversed(int64_t num) {
  std::vector<int64_t> out(static_cast<size_t>(num));
  std::iota(out.rbegin(), out.rend(), int64_t{0});
  return out;
}

constexpr Case kCases[] = {
    {"gre/first-0", "RFC 2637 s4.1", "0 as the first sequence number", "LCP opens", kNothing, 0,
     FirstSequence<0>},
    {"gre/first-1", "RFC 2637 s4.1", "1 as the first, as Linux does", "LCP opens", kNothing, 0,
     FirstSequence<1>},
    {"gre/first-7fffffff", "RFC 2637 s4.1", "7fffffff as the first", "LCP opens", kNothing, 0,
     FirstSequence<0x7fffffff>},
    {"gre/first-ffffffff", "RFC 2637 s4.1", "ffffffff as the first, then 0", "LCP opens", kNothing,
     0, FirstSequence<0xffffffff>},
    {"gre/their-first", "RFC 2637 s4.1", "LCP packets", "0 as the server's first number", kNothing,
     0, TheirFirst},
    {"gre/their-order", "RFC 2637 s4.1", "20 Echo-Requests", "numbers that go up by one", kNothing,
     0, TheirOrder},
    {"gre/acknowledges", "RFC 2637 s4.3", "Echo-Requests",
     "the highest number received as acknowledgement", kNothing, 0, TheyAcknowledge},
    {"gre/acknowledges-alone", "RFC 2637 s4.3", "LCP Discard-Request, which has no answer",
     "an acknowledgement without payload", kNothing, 0, LoneAck},
    {"gre/duplicate", "RFC 2637 s4.3", "an Echo-Request twice with the same number", "one reply",
     kNothing, 0, Duplicate},
    {"gre/swapped", "RFC 2637 s4.3", "n + 1, then n", "both answered, or the late one dropped",
     kNothing, 0,
     [](Session& s) {
       return Pattern(s, {1, 0});
     }},
    {"gre/delayed-ten", "RFC 2637 s4.3", "one packet ten late", "the call goes on", kNothing, 0,
     [](Session& s) {
       return Pattern(s, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0});
     }},
    {"gre/reversed-ten", "RFC 2637 s4.3", "ten packets in reverse order", "the call goes on",
     kNothing, 0, [](Session& s) { return Pattern(s, Reversed(10)); }},
    {"gre/reversed-40", "RFC 2637 s4.3", "40 packets in reverse order", "the call goes on",
     kNothing, 0, [](Session& s) { return Pattern(s, Reversed(40)); }},
    {"gre/gap-1", "RFC 2637 s4.3", "a lost packet", "the next is answered", kNothing, 0,
     [](Session& s) { return Gap(s, 1); }},
    {"gre/gap-100", "RFC 2637 s4.3", "100 lost packets", "the call goes on", kNothing, 0,
     [](Session& s) { return Gap(s, 100); }},
    {"gre/gap-5000", "RFC 2637 s4.3", "5000 lost packets", "the call goes on", kNothing, 0,
     [](Session& s) { return Gap(s, 5000); }},
    {"gre/late-3", "RFC 2637 s4.3", "a number that was 3 packets ago", "dropped", kNothing, 0,
     [](Session& s) { return Old(s, 3); }},
    {"gre/late-1000000", "RFC 2637 s4.3", "a number a million behind", "dropped", kNothing, 0,
     [](Session& s) { return Old(s, 1'000'000); }},
    {"gre/jump-1000000", "RFC 2637 s4.3", "one packet a million ahead, then the old numbers",
     "the call goes on: that packet may be forged", kNothing, 0,
     [](Session& s) { return Poison(s, 1'000'000); }},
    {"gre/wrap", "RFC 2637 s4.1", "numbers across 2^32", "the call goes on", kNothing, 0,
     [](Session& s) { return Wrap(s, 0); }},
    {"gre/wrap-with-loss", "RFC 2637 s4.1", "the same with ffffffff lost", "the call goes on",
     kNothing, 0, [](Session& s) { return Wrap(s, 0xffffffff); }},
    {"gre/window", "RFC 2637 s4.2", "ten pings with a window of 2 and no acknowledgement",
     "two packets at once", kUser | kPing, 0, Window},
};

}  // namespace

std::span<const Case> GreSequenceCases() { return kCases; }

}  // namespace culvert::load::conformance
