// The end of calls (RFC 2637 s3.2).
#include <fmt/format.h>

#include "tools/load/conformance/session/session.h"

namespace culvert::load::conformance {

namespace wp = wire::pptp;
namespace pp = wire::ppp;

namespace {

std::string Show(const wp::CallDisconnectNotify& n) {
  return fmt::format("Call-Disconnect-Notify with result {}", n.result);
}

Result Clear(Session& s) {
  if (!s.Dial()) {
    return s.Broken();
  }
  s.Forget();
  s.control.Send(wp::CallClearRequest{.call_id = s.tunnel.call_id});
  const auto notify = s.Await<wp::CallDisconnectNotify>();
  if (!notify) {
    return s.control.closed() ? Departs("closed without Call-Disconnect-Notify", "old pptpd")
                              : Violates(s.HeardControl());
  }
  if (notify->call_id == s.tunnel.call_id && notify->call_id != s.call_reply.call_id) {
    return Departs(Show(*notify) + " and our Call ID", "accel-ppp, and as NAT helpers expect");
  }
  return notify->call_id == s.call_reply.call_id && notify->result == 4
             ? Fine(Show(*notify))
             : Departs(fmt::format("{}, Call ID {}", Show(*notify), notify->call_id),
                       "Windows, which leaves fields at 0");
}

Result ClearWithTheirId(Session& s) {
  if (!s.Dial()) {
    return s.Broken();
  }
  s.Forget();
  s.control.Send(wp::CallClearRequest{.call_id = s.call_reply.call_id});
  const auto notify = s.Await<wp::CallDisconnectNotify>(1000);
  if (notify || s.control.closed()) {
    return Fine("understood: " + s.HeardControl());
  }
  return Holds{s.ControlAlive(), "ignored"};
}

Result ClearWithGarbage(Session& s) {
  if (!s.Dial()) {
    return s.Broken();
  }
  s.Forget();
  s.control.Send(wp::CallClearRequest{
      .call_id = static_cast<uint16_t>((s.tunnel.call_id ^ s.call_reply.call_id) | 0x8001)});
  const auto notify = s.Await<wp::CallDisconnectNotify>(1000);
  if (notify || s.control.closed()) {
    return Departs("the only call is cleared: " + s.HeardControl(), "pptpd and accel-ppp");
  }
  return Holds{s.ControlAlive(), "ignored"};
}

Result ClearThenStop(Session& s) {
  if (!s.Dial()) {
    return s.Broken();
  }
  s.Forget();
  std::vector<uint8_t> octets = wp::Emit(wp::CallClearRequest{.call_id = s.tunnel.call_id});
  const auto stop = wp::Emit(wp::StopRequest{.reason = 1});
  octets.insert(octets.end(), stop.begin(), stop.end());
  s.control.Send(octets);
  const bool closed = s.WaitClosed();
  bool notified = false, stopped = false;
  for (const wp::Message& message : s.control.heard()) {
    notified = notified || std::holds_alternative<wp::CallDisconnectNotify>(message);
    stopped = stopped || std::holds_alternative<wp::StopReply>(message);
  }
  if (closed && !(notified && stopped)) {
    return Departs(s.HeardControl(), "pptpd, which ends at the first");
  }
  return Judge{closed, s.HeardControl()};
}

Result ClearBeforeReply(Session& s) {
  if (!s.Start()) {
    return s.Broken();
  }
  s.Forget();
  s.call_request.call_id = Session::NewCallId();
  std::vector<uint8_t> octets = wp::Emit(s.call_request);
  const auto clear = wp::Emit(wp::CallClearRequest{.call_id = s.call_request.call_id});
  octets.insert(octets.end(), clear.begin(), clear.end());
  s.control.Send(octets);
  const auto notify = s.Await<wp::CallDisconnectNotify>();
  if (!notify) {
    return s.control.closed() ? Departs(s.HeardControl(), "pptpd") : Violates(s.HeardControl());
  }
  return Fine(s.HeardControl());
}

Result StopWithCall(Session& s) {
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  s.Forget();
  s.control.Send(wp::StopRequest{.reason = 1});
  const auto reply = s.Await<wp::StopReply>();
  const bool closed = s.WaitClosed();
  if (!reply && closed) {
    return Departs("closed without a reply", "old RouterOS");
  }
  return Judge{reply && closed, s.HeardControl()};
}

Result Redial(Session& s) {
  if (!s.Dial()) {
    return s.Broken();
  }
  s.control.Send(wp::CallClearRequest{.call_id = s.tunnel.call_id});
  (void)s.Await<wp::CallDisconnectNotify>();
  s.Forget();
  s.control.Send(wp::OutgoingCallRequest{
      .call_id = Session::NewCallId(), .bearer_type = 3, .framing_type = 3, .receive_window = 64});
  const auto reply = s.Await<wp::OutgoingCallReply>();
  if (reply && reply->result == 1) {
    return Fine("connected");
  }
  return Departs(s.HeardControl(), "pptpd and accel-ppp, with one call a connection");
}

Result LcpTerminate(Session& s) {
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  s.ppp.habits.repeat = false;
  const auto ack = s.Ask(pp::kLcp, pp::kTerminateRequest, {});
  if (!ack || ack->code != pp::kTerminateAck) {
    return Violates(s.HeardPpp());
  }
  const bool ended = s.Ended(10'000);
  for (const wp::Message& message : s.control.heard()) {
    if (const auto* notify = std::get_if<wp::CallDisconnectNotify>(&message)) {
      return Fine("Terminate-Ack, then " + Show(*notify));
    }
  }
  return ended
             ? Departs("Terminate-Ack, then " + s.HeardControl(), "old pptpd")
             : Departs("Terminate-Ack, and the call stays", "servers that leave it to the client");
}

// LostConnection: with the control connection every call goes at once (s3.1).
Result LostConnection(Session& s) {
  if (!s.OpenLcp()) {
    return s.Broken();
  }
  s.control.Reset();
  s.Wait([] { return false; }, 1000);
  s.ppp.habits.repeat = false;
  s.Forget();
  return Judge{!s.Alive(1500), s.HeardPpp() == "nothing" ? "no packet of the call is answered"
                                                         : "still there: " + s.HeardPpp()};
}

Result WrongDirection(Session& s) {
  if (!s.Dial()) {
    return s.Broken();
  }
  s.Forget();
  s.control.Send(wp::CallDisconnectNotify{.call_id = s.tunnel.call_id, .result = 1});
  s.Quiet();
  if (s.control.closed()) {
    return Holds{s.ServerAlive(), "closed"};
  }
  return Judge{s.ControlAlive(), s.HeardControl()};
}

Result LinkEndsWithoutAnswers(Session& s) {
  s.ppp.habits.answer_lcp = s.ppp.habits.answer_echo = false;
  if (!s.Dial()) {
    return s.Broken();
  }
  s.Forget();
  const uint64_t began = Session::NowMs();
  const bool ended = s.Ended(65'000);
  return Judge{ended, ended ? fmt::format("{} after {:.0f} s", s.HeardControl(),
                                          static_cast<double>(Session::NowMs() - began) / 1000)
                            : "the call stays"};
}

constexpr Case kCases[] = {
    {"call/clear", "RFC 2637 s2.13", "Call-Clear-Request with our Call ID",
     "Call-Disconnect-Notify with the server's Call ID and result 4", kNothing, 0, Clear},
    {"call/clear-with-their-id", "RFC 2637 s2.12", "Call-Clear-Request with the server's Call ID",
     "nothing, the field is the sender's", kNothing, 0, ClearWithTheirId},
    {"call/clear-with-garbage", "RFC 2637 s2.12", "Call-Clear-Request with nobody's Call ID",
     "nothing", kNothing, 0, ClearWithGarbage},
    {"call/clear-then-stop", "RFC 2637 s3.2.2",
     "Call-Clear-Request and Stop-Control-Connection-Request in one segment",
     "Call-Disconnect-Notify, Stop-Reply, closed", kNothing, 0, ClearThenStop},
    {"call/clear-before-reply", "RFC 2637 s3.2.2",
     "Outgoing-Call-Request and Call-Clear-Request in one segment", "Call-Disconnect-Notify",
     kNothing, 0, ClearBeforeReply},
    {"call/stop-with-call", "RFC 2637 s2.3", "Stop-Control-Connection-Request during a call",
     "Stop-Reply, closed", kNothing, 0, StopWithCall},
    {"call/again-after-clear", "RFC 2637 s3.2", "another call after the first was cleared",
     "connected", kNothing, 0, Redial},
    {"call/lcp-terminate", "RFC 2637 s3.2.2", "LCP Terminate-Request",
     "Terminate-Ack, then Call-Disconnect-Notify", kNothing, 0, LcpTerminate},
    {"call/connection-lost", "RFC 2637 s3.1", "RST during a call", "the end of the call", kNothing,
     0, LostConnection},
    {"call/disconnect-notify-from-client", "RFC 2637 s2.13",
     "Call-Disconnect-Notify, which is the server's", "no harm", kNothing, 0, WrongDirection},
    {"call/silent-client", "RFC 1661 s4.6", "no PPP frame at all",
     "the end of the call after Max-Configure requests", kNothing, 70, LinkEndsWithoutAnswers},
};

}  // namespace

std::span<const Case> CallEndCases() { return kCases; }

}  // namespace culvert::load::conformance
