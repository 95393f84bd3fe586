// Setting up calls (RFC 2637 s3.2).
#include <fmt/format.h>

#include <algorithm>

#include "tools/load/conformance/session/session.h"

namespace culvert::load::conformance {

namespace wp = wire::pptp;
namespace pp = wire::ppp;

namespace {

std::string Show(const wp::OutgoingCallReply& r) {
  return fmt::format("reply with result {}, error {}, window {}", r.result, r.error,
                     r.receive_window);
}

Result CallReply(Session& s) {
  if (!s.Dial()) {
    return s.Broken();
  }
  const wp::OutgoingCallReply& r = s.call_reply;
  return Judge{r.peer_call_id == s.tunnel.call_id && r.receive_window > 0, Show(r)};
}

// With: an odd request is connected, or refused in good order.
Result With(Session& s, const std::function<void(wp::OutgoingCallRequest*)>& change,
            bool may_refuse) {
  if (!s.Start()) {
    return s.Broken();
  }
  s.call_request.call_id = Session::NewCallId();
  change(&s.call_request);
  s.control.Send(s.call_request);
  const auto reply = s.Await<wp::OutgoingCallReply>();
  if (!reply) {
    return Violates(s.HeardControl());
  }
  return Judge{reply->peer_call_id == s.call_request.call_id &&
                   (reply->result == 1 || (may_refuse && reply->result >= 2)),
               Show(*reply)};
}

Result CallIdsAreNotGuessable(Session& s) {
  constexpr int kCalls = 4;
  std::vector<int> ids;
  for (int i = 0; i < kCalls; ++i) {
    Session one(&s.target(), &s.survey());
    if (!one.Dial()) {
      return one.Broken();
    }
    ids.push_back(one.call_reply.call_id);
  }
  bool regular = true;
  for (size_t i = 2; i < ids.size(); ++i) {
    regular = regular && ids[i] - ids[i - 1] == ids[1] - ids[0];
  }
  const std::string text = fmt::format("Call IDs {}, {}, {}, {}", ids[0], ids[1], ids[2], ids[3]);
  return regular ? Departs(text, "pptpd, accel-ppp and Linux, which count") : Fine(text);
}

Result TwoCalls(Session& s) {
  if (!s.Dial()) {
    return s.Broken();
  }
  const uint16_t second = Session::NewCallId();
  s.Forget();
  s.control.Send(wp::OutgoingCallRequest{
      .call_id = second, .bearer_type = 3, .framing_type = 3, .receive_window = 64});
  const auto reply = s.Await<wp::OutgoingCallReply>();
  if (!reply) {
    return Departs(s.HeardControl(), "pptpd and accel-ppp, with one call a connection");
  }
  if (reply->result != 1) {
    return Departs(Show(*reply), "accel-ppp, with one call a connection");
  }
  if (reply->call_id == s.call_reply.call_id) {
    return Departs("connected with the Call ID of the first", "pptpd");
  }
  return s.OpenLcp() ? Fine("connected too, and the first goes on")
                     : Departs("connected, but the first is dead", "pptpd");
}

Result SameCallIdTwice(Session& s) {
  if (!s.Dial()) {
    return s.Broken();
  }
  s.Forget();
  s.control.Send(s.call_request);
  const auto reply = s.Await<wp::OutgoingCallReply>();
  if (!reply) {
    return s.ServerAlive() ? Departs(s.HeardControl(), "accel-ppp")
                           : Violates("the server is gone");
  }
  return reply->result == 1 ? Departs(Show(*reply), "pptpd") : Fine(Show(*reply));
}

Result SameCallIdFromTwoConnections(Session& s) {
  Session other(&s.target(), &s.survey());
  if (!s.Dial()) {
    return s.Broken();
  }
  other.call_request.call_id = s.call_request.call_id;
  if (!other.Dial()) {
    return Departs("the second is refused", "servers that know an address by its Call ID only");
  }
  if (other.call_reply.call_id == s.call_reply.call_id) {
    return Violates("both calls have the same Call ID");
  }
  return Holds{s.ControlAlive() && other.ControlAlive(), "each has a Call ID of its own"};
}

Result SetLinkInfo(Session& s) {
  if (!s.Dial()) {
    return s.Broken();
  }
  s.control.Send(wp::SetLinkInfo{
      .peer_call_id = s.call_reply.call_id, .send_accm = 0, .receive_accm = 0x000a0000});
  return s.OpenLcp() && s.ControlAlive() ? Fine("the call goes on, frames are not escaped")
                                         : Violates(s.problem() + ", " + s.HeardControl());
}

Result WanError(Session& s) {
  if (!s.Dial()) {
    return s.Broken();
  }
  s.control.Send(wp::WanErrorNotify{.peer_call_id = s.call_reply.call_id, .crc_errors = 7});
  if (s.OpenLcp() && s.ControlAlive()) {
    return Fine("the call goes on");
  }
  return s.ServerAlive() ? Departs(s.HeardControl(), "accel-ppp") : Violates("the server is gone");
}

Result ServerBegins(Session& s) {
  if (!s.Dial()) {
    return s.Broken();
  }
  const auto request = s.AwaitPpp(pp::kLcp, pp::kConfigureRequest);
  return request ? Fine(Describe(*request)) : Departs("nothing in 5 s", "servers that wait");
}

Result Incoming(Session& s, bool connect) {
  if (!s.Start()) {
    return s.Broken();
  }
  s.Forget();
  const uint16_t id = Session::NewCallId();
  s.control.Send(wp::IncomingCallRequest{.call_id = id, .bearer_type = 1});
  const auto reply = s.Await<wp::IncomingCallReply>(2000);
  if (!reply) {
    return s.ServerAlive() ? Departs(s.HeardControl(), "pptpd and accel-ppp, which take none")
                           : Violates("the server is gone");
  }
  const std::string text = fmt::format("Incoming-Call-Reply with result {}", reply->result);
  if (reply->peer_call_id != id || reply->result != 1 || !connect) {
    return Judge{reply->peer_call_id == id && reply->result >= 1 && reply->result <= 3, text};
  }
  if (const std::string why = s.tunnel.Open(s.control.local_address(), s.target().server, id);
      !why.empty()) {
    return Violates(why);
  }
  s.tunnel.peer_call_id = reply->call_id;
  s.control.Send(wp::IncomingCallConnected{
      .peer_call_id = reply->call_id, .receive_window = 16, .framing_type = 1});
  s.ppp.habits.authenticate = false;
  s.ppp.Request(&s.ppp.lcp);
  return Judge{s.Wait([&] { return s.ppp.lcp.open(); }, 2 * s.target().wait_ms),
               text + (s.ppp.lcp.open() ? ", and LCP opens" : ", but LCP does not open")};
}

constexpr Case kCases[] = {
    {"call/reply", "RFC 2637 s2.8", "Outgoing-Call-Request",
     "Outgoing-Call-Reply with our Call ID, result 1 and a window", kNothing, 0, CallReply},
    {"call/id-zero", "RFC 2637 s2.7", "Call ID 0", "connected: any number is a Call ID", kNothing,
     0,
     [](Session& s) {
       return With(
           s, [](auto* r) { r->call_id = 0; }, false);
     }},
    {"call/id-65535", "RFC 2637 s2.7", "Call ID 65535", "connected", kNothing, 0,
     [](Session& s) {
       return With(
           s, [](auto* r) { r->call_id = 0xffff; }, false);
     }},
    {"call/ids-not-guessable", "RFC 2637 s6", "four calls, one after the other",
     "nothing; Call IDs that count up are easy to forge packets for", kNothing, 0,
     CallIdsAreNotGuessable},
    {"call/speeds-odd", "RFC 2637 s2.7", "minimum speed above the maximum",
     "connected, or refused in good order", kNothing, 0,
     [](Session& s) {
       return With(
           s,
           [](auto* r) {
             r->minimum_bps = 100;
             r->maximum_bps = 10;
           },
           true);
     }},
    {"call/types-odd", "RFC 2637 s2.7", "bearer and framing type 0",
     "connected, or refused in good order", kNothing, 0,
     [](Session& s) {
       return With(
           s, [](auto* r) { r->bearer_type = r->framing_type = 0; }, true);
     }},
    {"call/window-zero", "RFC 2637 s2.7", "receive window 0", "connected, or refused in good order",
     kNothing, 0,
     [](Session& s) {
       return With(
           s, [](auto* r) { r->receive_window = 0; }, true);
     }},
    {"call/phone-number-length", "RFC 2637 s2.7", "phone number length 65535",
     "connected, or refused in good order", kNothing, 0,
     [](Session& s) {
       return With(
           s,
           [](auto* r) {
             r->phone_number_len = 65535;
             r->phone_number.fill('9');
           },
           true);
     }},
    {"call/two-on-a-connection", "RFC 2637 s3.2", "a second call on the same connection",
     "connected with another Call ID", kNothing, 0, TwoCalls},
    {"call/same-id-twice", "RFC 2637 s3.2.2", "a second call with the same Call ID",
     "refused, or the first replaced", kNothing, 0, SameCallIdTwice},
    {"call/same-id-two-connections", "RFC 2637 s3.2.2",
     "the same Call ID on two connections of one address", "two calls", kNothing, 0,
     SameCallIdFromTwoConnections},
    {"call/set-link-info", "RFC 2637 s2.15", "Set-Link-Info with real ACCMs",
     "the call goes on; frames in GRE are never escaped", kNothing, 0, SetLinkInfo},
    {"call/wan-error-notify", "RFC 2637 s2.14", "WAN-Error-Notify", "the call goes on", kNothing, 0,
     WanError},
    {"call/server-begins-lcp", "RFC 1661 s3.4", "nothing after Outgoing-Call-Reply",
     "LCP Configure-Request", kNothing, 0, ServerBegins},
    {"call/incoming", "RFC 2637 s2.10", "Incoming-Call-Request", "Incoming-Call-Reply", kNothing, 0,
     [](Session& s) { return Incoming(s, false); }},
    {"call/incoming-connected", "RFC 2637 s3.2.4", "a whole incoming call", "LCP opens", kNothing,
     0, [](Session& s) { return Incoming(s, true); }},
};

}  // namespace

std::span<const Case> CallCases() { return kCases; }

}  // namespace culvert::load::conformance
