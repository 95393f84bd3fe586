// The control connection (RFC 2637 s3.1): start, echo, stop, timers.
#include <fmt/format.h>

#include "tools/load/conformance/session/session.h"

namespace culvert::load::conformance {

namespace wp = wire::pptp;

namespace {

wp::StartRequest StartOf(uint16_t version) {
  return {.version = version,
          .framing_capabilities = 3,
          .bearer_capabilities = 3,
          .host_name = wp::ToName("culvert-load"),
          .vendor = wp::ToName("culvert-load")};
}

std::string Show(const wp::StartReply& reply) {
  return fmt::format("reply with version {:04x}, result {}, error {}", reply.version, reply.result,
                     reply.error);
}

Result StartReply(Session& s) {
  if (!s.Start()) {
    return s.Broken();
  }
  return Judge{s.start_reply.version == wp::kVersion, Show(s.start_reply)};
}

Result StartNewer(Session& s) {
  if (!s.Connect()) {
    return s.Broken();
  }
  s.control.Send(StartOf(0x0200));
  const auto reply = s.Await<wp::StartReply>();
  if (!reply) {
    return Violates(s.HeardControl());
  }
  if (reply->result == 1) {
    return Judge{reply->version == wp::kVersion, Show(*reply)};
  }
  return reply->result == 5 ? Departs(Show(*reply), "accel-ppp") : Violates(Show(*reply));
}

Result StartOlder(Session& s) {
  if (!s.Connect()) {
    return s.Broken();
  }
  s.control.Send(StartOf(0x0001));
  const auto reply = s.Await<wp::StartReply>();
  if (!reply) {
    return s.control.closed() ? Departs("closed without a reply", "accel-ppp")
                              : Violates(s.HeardControl());
  }
  if (reply->result == 1) {
    return Departs(Show(*reply), "pptpd, which does not look at the version");
  }
  return Judge{reply->result == 5 && s.WaitClosed(), Show(*reply) + ", then " + s.HeardControl()};
}

Result StartTwice(Session& s) {
  if (!s.Start()) {
    return s.Broken();
  }
  s.Forget();
  s.control.Send(StartOf(wp::kVersion));
  const auto reply = s.Await<wp::StartReply>(1000);
  if (reply) {
    return reply->result == 1 ? Departs(Show(*reply), "pptpd") : Fine(Show(*reply));
  }
  return s.control.closed() || s.ControlAlive() ? Departs(s.HeardControl(), "accel-ppp")
                                                : Violates("nothing more at all");
}

Result StartSilent(Session& s) {
  if (!s.Connect()) {
    return s.Broken();
  }
  const uint64_t began = Session::NowMs();
  const bool closed = s.WaitClosed(66'000);
  const double seconds = static_cast<double>(Session::NowMs() - began) / 1000;
  return Judge{closed, closed ? fmt::format("closed after {:.0f} s", seconds) : "still open"};
}

Result StartFullNames(Session& s) {
  if (!s.Connect()) {
    return s.Broken();
  }
  wp::StartRequest request = StartOf(wp::kVersion);
  request.host_name.fill('x');
  request.vendor.fill(0xff);
  s.control.Send(request);
  const auto reply = s.Await<wp::StartReply>();
  return Judge{reply && reply->result == 1, reply ? Show(*reply) : s.HeardControl()};
}

Result StartReserved(Session& s) {
  if (!s.Connect()) {
    return s.Broken();
  }
  std::vector<uint8_t> octets = wp::Emit(StartOf(wp::kVersion));
  octets[10] = octets[11] = octets[14] = 0xff;  // Reserved0, Reserved1
  s.control.Send(octets);
  const auto reply = s.Await<wp::StartReply>();
  if (!reply) {
    return Departs(s.HeardControl(), "the letter of error 3, s2.16");
  }
  return reply->result == 1 ? Fine(Show(*reply))
                            : Departs(Show(*reply), "the letter of error 3, s2.16");
}

// BeforeStart: what must not be served comes before Start-Control-Connection-Request.
template <typename Answer>
Result BeforeStart(Session& s, const wp::Message& message) {
  if (!s.Connect()) {
    return s.Broken();
  }
  s.control.Send(message);
  const auto answer = s.Await<Answer>(1000);
  if constexpr (std::is_same_v<Answer, wp::OutgoingCallReply>) {
    if (answer && answer->result == 1) {
      return Departs("the call is connected", "pptpd, which has no state before Start");
    }
  }
  return s.ServerAlive() ? Fine(s.HeardControl()) : Violates("the server is gone");
}

Result Echo(Session& s) {
  if (!s.Start()) {
    return s.Broken();
  }
  s.control.Send(wp::EchoRequest{.identifier = 0xdeadbeef});
  const auto reply = s.Await<wp::EchoReply>();
  return Judge{reply && reply->identifier == 0xdeadbeef && reply->result == 1,
               reply ? fmt::format("identifier {:08x}, result {}", reply->identifier, reply->result)
                     : s.HeardControl()};
}

Result EchoMany(Session& s) {
  constexpr uint32_t kNum = 50;
  if (!s.Start()) {
    return s.Broken();
  }
  std::vector<uint8_t> all;
  for (uint32_t i = 0; i < kNum; ++i) {
    const auto one = wp::Emit(wp::EchoRequest{.identifier = i});
    all.insert(all.end(), one.begin(), one.end());
  }
  s.control.Send(all);
  for (uint32_t i = 0; i < kNum; ++i) {
    const auto reply = s.Await<wp::EchoReply>();
    if (!reply || reply->identifier != i) {
      return Violates(fmt::format("{} replies in order, then another or none", i));
    }
  }
  return Fine("50 replies in order");
}

// Unasked: a message that nobody waits for does no harm.
Result Unasked(Session& s, const wp::Message& message) {
  if (!s.Start()) {
    return s.Broken();
  }
  s.Forget();
  s.control.Send(message);
  if (s.ControlAlive()) {
    return Fine("ignored");
  }
  return s.control.closed() && s.ServerAlive() ? Departs("closed", "accel-ppp")
                                               : Violates(s.HeardControl());
}

template <uint8_t kReason>
Result Stop(Session& s) {
  if (!s.Start()) {
    return s.Broken();
  }
  s.Forget();
  s.control.Send(wp::StopRequest{.reason = kReason});
  const auto reply = s.Await<wp::StopReply>();
  if (!reply) {
    return s.control.closed() ? Departs("closed without a reply", "old RouterOS")
                              : Violates(s.HeardControl());
  }
  return Judge{reply->result == 1 && s.WaitClosed(),
               fmt::format("reply with result {}, {}", reply->result,
                           s.control.closed() ? "closed" : "not closed")};
}

Result HalfClose(Session& s) {
  if (!s.Dial()) {
    return s.Broken();
  }
  s.control.HalfClose();
  return Judge{s.WaitClosed(), s.HeardControl()};
}

constexpr int kEchoMs = 75'000;  // RFC 2637 s3.1.4: 60 s; virtual machines' clocks are slow

Result SilentPeerIsAsked(Session& s) {
  if (!s.Start()) {
    return s.Broken();
  }
  const uint64_t began = Session::NowMs();
  const auto echo = s.Await<wp::EchoRequest>(kEchoMs);
  const double seconds = static_cast<double>(Session::NowMs() - began) / 1000;
  if (echo) {
    return Fine(fmt::format("Echo-Request after {:.0f} s", seconds));
  }
  return s.control.closed() ? Departs(fmt::format("{} after {:.0f} s", s.HeardControl(), seconds),
                                      "servers that want a call soon")
                            : Departs("nothing in 75 s", "accel-ppp, whose echo is off by default");
}

Result DeadPeerIsClosed(Session& s) {
  if (!s.Start()) {
    return s.Broken();
  }
  s.control.answer_echo = false;
  const auto echo = s.Await<wp::EchoRequest>(kEchoMs);
  if (!echo && !s.control.closed()) {
    return Departs("no Echo-Request in 75 s", "accel-ppp, whose echo is off by default");
  }
  const bool closed = s.WaitClosed(kEchoMs);
  return Judge{closed, closed ? "closed" : "still open 75 s after its Echo-Request"};
}

Result AnsweredPeerStays(Session& s) {
  if (s.Offers(kUser) ? !s.Up() : !s.OpenLcp()) {
    return s.Broken();
  }
  s.Forget();
  const auto echo = s.Await<wp::EchoRequest>(kEchoMs);
  if (!echo) {
    return s.control.closed() ? Departs(s.HeardControl(), "servers that want a login soon")
                              : Departs("no Echo-Request in 75 s", "accel-ppp");
  }
  return Holds{s.ControlAlive(), "the connection goes on after our Echo-Reply"};
}

constexpr Case kCases[] = {
    {"control/start", "RFC 2637 s2.2", "Start-Control-Connection-Request, version 1.0",
     "a reply with version 1.0 and result 1", kNothing, 0, StartReply},
    {"control/start-version-newer", "RFC 2637 s3.1.2", "Start with version 2.0",
     "a reply with the version the server speaks", kNothing, 0, StartNewer},
    {"control/start-version-older", "RFC 2637 s3.1.2", "Start with version 0.1",
     "result 5 and a closed connection, or that version", kNothing, 0, StartOlder},
    {"control/start-twice", "RFC 2637 s2.2", "a second Start on the same connection",
     "a refusal; the first stays", kNothing, 0, StartTwice},
    {"control/start-names-full", "RFC 2637 s2.1", "host name and vendor of 64 octets without a NUL",
     "result 1", kNothing, 0, StartFullNames},
    {"control/start-reserved-set", "RFC 2637 s1.4", "Start with reserved fields set",
     "nothing: reserved fields are ignored", kNothing, 0, StartReserved},
    {"control/start-never", "RFC 2637 s3.1", "no message at all",
     "the connection closed after 60 s", kNothing, 70, StartSilent},
    {"control/call-before-start", "RFC 2637 s3.1.2", "Outgoing-Call-Request first",
     "no call without a control connection", kNothing, 0,
     [](Session& s) {
       return BeforeStart<wp::OutgoingCallReply>(s, wp::OutgoingCallRequest{.call_id = 7});
     }},
    {"control/echo-before-start", "RFC 2637 s3.1.2", "Echo-Request first", "no harm", kNothing, 0,
     [](Session& s) { return BeforeStart<wp::EchoReply>(s, wp::EchoRequest{}); }},
    {"control/stop-before-start", "RFC 2637 s3.1.2", "Stop-Control-Connection-Request first",
     "no harm", kNothing, 0,
     [](Session& s) { return BeforeStart<wp::StopReply>(s, wp::StopRequest{}); }},
    {"control/echo", "RFC 2637 s2.6", "Echo-Request", "Echo-Reply with its identifier, result 1",
     kNothing, 0, Echo},
    {"control/echo-50", "RFC 2637 s2.6", "50 Echo-Requests at once", "50 replies in order",
     kNothing, 0, EchoMany},
    {"control/echo-reply-unasked", "RFC 2637 s3.1.4", "Echo-Reply that nobody waits for", "no harm",
     kNothing, 0, [](Session& s) { return Unasked(s, wp::EchoReply{}); }},
    {"control/stop-reply-unasked", "RFC 2637 s3.1", "Stop-Reply that nobody waits for", "no harm",
     kNothing, 0, [](Session& s) { return Unasked(s, wp::StopReply{}); }},
    {"control/start-reply-unasked", "RFC 2637 s3.1", "Start-Reply from the one who asked",
     "no harm", kNothing, 0, [](Session& s) { return Unasked(s, wp::StartReply{}); }},
    {"control/call-reply-unasked", "RFC 2637 s3.2", "Outgoing-Call-Reply that nobody waits for",
     "no harm", kNothing, 0, [](Session& s) { return Unasked(s, wp::OutgoingCallReply{}); }},
    {"control/clear-unknown-call", "RFC 2637 s2.12", "Call-Clear-Request without a call", "no harm",
     kNothing, 0, [](Session& s) { return Unasked(s, wp::CallClearRequest{.call_id = 99}); }},
    {"control/link-info-unknown-call", "RFC 2637 s2.15", "Set-Link-Info without a call", "no harm",
     kNothing, 0, [](Session& s) { return Unasked(s, wp::SetLinkInfo{.peer_call_id = 99}); }},
    {"control/wan-error-unknown-call", "RFC 2637 s2.14", "WAN-Error-Notify without a call",
     "no harm", kNothing, 0,
     [](Session& s) { return Unasked(s, wp::WanErrorNotify{.peer_call_id = 99}); }},
    {"control/stop", "RFC 2637 s2.4", "Stop-Control-Connection-Request, reason 1",
     "Stop-Reply with result 1, then closed", kNothing, 0, Stop<1>},
    {"control/stop-shutdown", "RFC 2637 s2.4", "Stop-Control-Connection-Request, reason 3",
     "Stop-Reply with result 1, then closed", kNothing, 0, Stop<3>},
    {"control/half-closed", "RFC 2637 s3.1", "FIN after a call has begun",
     "the server closes its side too", kNothing, 0, HalfClose},
    {"control/silent-peer-is-asked", "RFC 2637 s3.1.4", "nothing after Start",
     "Echo-Request after 60 s", kNothing, 80, SilentPeerIsAsked},
    {"control/dead-peer-is-closed", "RFC 2637 s3.1.4", "no answer to Echo-Request",
     "the connection closed after 60 s more", kNothing, 155, DeadPeerIsClosed},
    {"control/answering-peer-stays", "RFC 2637 s3.1.4", "Echo-Reply to each Echo-Request",
     "the connection stays", kNothing, 80, AnsweredPeerStays},
};

}  // namespace

std::span<const Case> ControlCases() { return kCases; }

}  // namespace culvert::load::conformance
