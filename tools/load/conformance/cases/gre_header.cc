// The GRE header (RFC 2637 s4.1). LCP Echo-Requests are the probes: no user is needed.
#include <fmt/format.h>

#include <set>

#include "tools/load/conformance/session/session.h"

namespace culvert::load::conformance {

namespace gre = wire::gre;
namespace pp = wire::ppp;

namespace {

constexpr uint16_t kData = 0x3001;  // K, S, version 1

// NotAnswered: `send` sends an echo request of this identifier that must not be answered.
Result NotAnswered(Session& s, const std::function<void(const std::vector<uint8_t>&)>& send) {
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  const uint8_t identifier = s.ppp.NextIdentifier();
  s.Forget();
  send(s.EchoFrame(identifier));
  s.Quiet();
  if (!s.Alive()) {
    return Violates("the call is dead afterwards: " + s.HeardPpp());
  }
  const unsigned answers = s.CountEchoReplies(identifier);  // a slow server's come before Alive's
  return answers == 0 ? Fine("dropped, the call goes on") : Violates("answered");
}

template <uint16_t kWord>
Result Flags(Session& s) {
  return NotAnswered(s, [&](const auto& frame) { s.tunnel.SendWith(kWord, frame); });
}

// LooseFlags: bits that Linux's pptp.c does not look at.
template <uint16_t kWord>
Result LooseFlags(Session& s) {
  Result result = Flags<kWord>(s);
  return result.verdict == Verdict::kViolates && result.came_back == "answered"
             ? Departs("answered", "Linux and accel-ppp, which do not look at this bit")
             : result;
}

// EveryFlagWord: 65,532 wrong first words, each with an echo request that carries the word.
Result EveryFlagWord(Session& s) {
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  const uint8_t identifier = s.ppp.NextIdentifier();
  s.Forget();
  std::vector<uint8_t> frame = s.EchoFrame(identifier, 2);
  for (uint32_t word = 0; word < 0x10000; ++word) {
    if ((word & 0xef7f) == 0x2001) {
      continue;
    }
    wire::StoreBe16(&frame[frame.size() - 2], static_cast<uint16_t>(word));
    s.tunnel.SendWith(static_cast<uint16_t>(word), frame);
    if (word % 1024 == 1023) {
      s.Wait([] { return false; }, 5);
    }
  }
  s.Quiet();
  std::set<unsigned> answered;
  for (const PppPacket& p : s.ppp.heard()) {
    if (p.protocol == pp::kLcp && p.code == pp::kEchoReply && p.identifier == identifier &&
        p.data.size() >= 6) {
      answered.insert(wire::LoadBe16(&p.data[4]));
    }
  }
  if (!s.Alive() && !s.Alive()) {  // the first may be lost in the flood's wake
    return Violates("the call is dead afterwards");
  }
  if (answered.empty()) {
    return Fine("all dropped, the call goes on");
  }
  bool only_loose = true;
  for (const unsigned word : answered) {
    only_loose = only_loose && (word & ~0x0f00u & 0xef7f) == 0x2001;
  }
  const std::string text =
      fmt::format("{} words answered, the first {:04x}", answered.size(), *answered.begin());
  return only_loose ? Departs(text, "Linux, which does not look at these bits") : Violates(text);
}

Result LengthTooLong(Session& s) {
  return NotAnswered(s, [&](const auto& frame) {
    s.tunnel.SendWith(kData, frame, gre::kProtocolPpp, static_cast<uint16_t>(frame.size() + 1));
  });
}

Result LengthShorter(Session& s) {
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  const uint8_t identifier = s.ppp.NextIdentifier();
  std::vector<uint8_t> frame = s.EchoFrame(identifier, 8);
  const auto len = static_cast<uint16_t>(frame.size());
  frame.insert(frame.end(), 10, 0xee);
  s.Forget();
  s.tunnel.SendWith(kData, frame, gre::kProtocolPpp, len);
  ++s.tunnel.next_sequence;
  const auto reply = s.AwaitPpp(pp::kLcp, pp::kEchoReply, 2000);
  return reply && reply->data.size() == 12 ? Fine("answered; the octets behind are ignored")
         : s.Alive()                       ? Departs("dropped", "strict servers")
                                           : Violates("the call is dead afterwards");
}

Result Raw(Session& s, std::vector<uint8_t> packet) {
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  if (packet.size() >= 8) {
    wire::StoreBe16(&packet[6], s.tunnel.peer_call_id);
  }
  s.Forget();
  s.tunnel.SendRaw(packet);
  s.Quiet();
  return s.Alive() ? Fine("ignored, the call goes on") : Violates("the call is dead afterwards");
}

Result EmptyPayload(Session& s) {
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  s.tunnel.Send({});
  return Judge{s.Alive(), s.ppp.lcp.open() ? "ignored, the call goes on" : "LCP restarts"};
}

Result AckOnly(Session& s, uint32_t ack, size_t padding) {
  std::vector<uint8_t> packet(12 + padding);
  wire::StoreBe16(&packet[0], 0x2081);
  wire::StoreBe16(&packet[2], gre::kProtocolPpp);
  wire::StoreBe32(&packet[8], ack);
  return Raw(s, packet);
}

Result WrongCallId(Session& s) {
  return NotAnswered(s, [&](const auto& frame) {
    const uint16_t right = s.tunnel.peer_call_id;
    s.tunnel.peer_call_id = right ^ 0x5555;
    s.tunnel.SendWith(kData, frame);
    s.tunnel.peer_call_id = right;
  });
}

Result WrongPeer(Session& s) {
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  Tunnel other;
  if (const std::string why =
          other.Open(s.target().other_source, s.target().server, s.tunnel.call_id);
      !why.empty()) {
    return {Verdict::kSkipped, "cannot send from --other-source: " + why};
  }
  Result result = NotAnswered(s, [&](const auto& frame) {
    other.peer_call_id = s.tunnel.peer_call_id;
    other.next_sequence = s.tunnel.next_sequence;
    other.Send(frame);
  });
  return other.Receive() ? Violates("answered to the wrong peer") : result;
}

// TheirHeader: every packet of the server is as s4.1 has it; the parser takes nothing else.
Result TheirHeader(Session& s) {
  if (!s.OpenLcp() || !s.Alive()) {
    return s.Broken();
  }
  return s.tunnel.problem().empty() ? Fine("K, version 1, 880b, our Call ID, true lengths")
                                    : Violates(s.tunnel.problem());
}

Result LargeFrame(Session& s, size_t len, bool may_drop) {
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  const uint8_t identifier = s.ppp.NextIdentifier();
  s.Forget();
  s.tunnel.Send(s.EchoFrame(identifier, len));
  const auto reply = s.AwaitPpp(pp::kLcp, pp::kEchoReply, 2000);
  if (reply) {
    return Judge{reply->identifier == identifier,
                 fmt::format("a reply of {} octets", reply->information.size())};
  }
  return may_drop && s.Alive() ? Departs("no reply", "firewalls, which drop fragments")
                               : Violates("no reply");
}

constexpr Case kCases[] = {
    {"gre/their-header", "RFC 2637 s4.1", "LCP packets", "GRE headers as the RFC draws them",
     kNothing, 0, TheirHeader},
    {"gre/flag-checksum", "RFC 2637 s4.1", "a packet with C set", "dropped", kNothing, 0,
     Flags<0xb001>},
    {"gre/flag-routing", "RFC 2637 s4.1", "a packet with R set", "dropped", kNothing, 0,
     Flags<0x7001>},
    {"gre/flag-no-key", "RFC 2637 s4.1", "a packet without K", "dropped", kNothing, 0,
     Flags<0x1001>},
    {"gre/flag-source-route", "RFC 2637 s4.1", "a packet with s set", "dropped", kNothing, 0,
     LooseFlags<0x3801>},
    {"gre/flag-recursion", "RFC 2637 s4.1", "a packet with recursion 1", "dropped", kNothing, 0,
     LooseFlags<0x3101>},
    {"gre/flag-reserved", "RFC 2637 s4.1", "a packet with reserved flags set", "dropped", kNothing,
     0, Flags<0x3041>},
    {"gre/version-0", "RFC 2637 s4.1", "a packet of version 0", "dropped", kNothing, 0,
     Flags<0x3000>},
    {"gre/version-2", "RFC 2637 s4.1", "a packet of version 2", "dropped", kNothing, 0,
     Flags<0x3002>},
    {"gre/every-flag-word", "RFC 2637 s4.1", "all 65,532 wrong first words", "all dropped",
     kNothing, 0, EveryFlagWord},
    {"gre/protocol-type", "RFC 2637 s4.1", "protocol type 0800", "dropped", kNothing, 0,
     [](Session& s) {
       return NotAnswered(s, [&](const auto& frame) { s.tunnel.SendWith(kData, frame, 0x0800); });
     }},
    {"gre/length-too-long", "RFC 2637 s4.1", "a payload length beyond the packet", "dropped",
     kNothing, 0, LengthTooLong},
    {"gre/length-shorter", "RFC 2637 s4.1", "octets behind the payload", "they are ignored",
     kNothing, 0, LengthShorter},
    {"gre/truncated", "RFC 2637 s4.1", "6 octets of a header", "dropped", kNothing, 0,
     [](Session& s) {
       return Raw(s, {0x30, 0x01, 0x88, 0x0b, 0x00, 0x00});
     }},
    {"gre/truncated-sequence", "RFC 2637 s4.1", "S set and no sequence number", "dropped", kNothing,
     0,
     [](Session& s) {
       return Raw(s, {0x30, 0x01, 0x88, 0x0b, 0, 0, 0, 0});
     }},
    {"gre/neither-payload-nor-ack", "RFC 2637 s4.1", "neither S nor A", "ignored", kNothing, 0,
     [](Session& s) {
       return Raw(s, {0x20, 0x01, 0x88, 0x0b, 0, 0, 0, 0});
     }},
    {"gre/payload-empty", "RFC 2637 s4.1", "S set and a payload of 0 octets", "ignored", kNothing,
     0, EmptyPayload},
    {"gre/ack-only", "RFC 2637 s4.1", "a packet with A alone", "no answer", kNothing, 0,
     [](Session& s) { return AckOnly(s, s.tunnel.highest_received.value_or(0), 0); }},
    {"gre/ack-only-padded", "RFC 2637 s4.1", "the same, and 14 octets behind it", "no answer",
     kNothing, 0, [](Session& s) { return AckOnly(s, s.tunnel.highest_received.value_or(0), 14); }},
    {"gre/ack-beyond", "RFC 2637 s4.1", "an acknowledgement of what was never sent", "ignored",
     kNothing, 0, [](Session& s) { return AckOnly(s, 0x7fffffff, 0); }},
    {"gre/unknown-call-id", "RFC 2637 s4.1", "a packet for a Call ID that is not ours", "dropped",
     kNothing, 0, WrongCallId},
    {"gre/wrong-peer", "RFC 2637 s6", "the right Call ID from another address", "dropped",
     kOtherSource, 0, WrongPeer},
    {"gre/large", "RFC 1661 s6.1", "an LCP Echo-Request of 1400 octets", "a reply", kNothing, 0,
     [](Session& s) { return LargeFrame(s, 1392, false); }},
    {"gre/fragmented", "RFC 1661 s6.1", "an LCP Echo-Request of 1500 octets, in IP fragments",
     "a reply: 1500 octets must always be taken", kNothing, 0,
     [](Session& s) { return LargeFrame(s, 1492, true); }},
};

}  // namespace

std::span<const Case> GreHeaderCases() { return kCases; }

}  // namespace culvert::load::conformance
