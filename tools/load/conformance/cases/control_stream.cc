// Control messages in a stream of octets (RFC 2637 s1.4): segments, lengths, cookies.
#include <fmt/format.h>

#include "tools/load/conformance/session/session.h"

namespace culvert::load::conformance {

namespace wp = wire::pptp;

namespace {

std::vector<uint8_t> StartOctets() {
  return wp::Emit(wp::StartRequest{.framing_capabilities = 3,
                                   .bearer_capabilities = 3,
                                   .host_name = wp::ToName("culvert-load")});
}

void Append(std::vector<uint8_t>* to, const std::vector<uint8_t>& octets) {
  to->insert(to->end(), octets.begin(), octets.end());
}

Result OctetByOctet(Session& s) {
  if (!s.Connect()) {
    return s.Broken();
  }
  for (const uint8_t octet : StartOctets()) {
    s.control.Send(Octets(&octet, 1));
    s.Wait([] { return false; }, 1);  // a segment each: Nagle is off
  }
  const auto reply = s.Await<wp::StartReply>();
  return Judge{reply && reply->result == 1 && s.ControlAlive(), s.HeardControl()};
}

Result TwoInASegment(Session& s) {
  if (!s.Connect()) {
    return s.Broken();
  }
  std::vector<uint8_t> octets = StartOctets();
  Append(&octets, wp::Emit(wp::EchoRequest{.identifier = 5}));
  s.control.Send(octets);
  const auto reply = s.Await<wp::StartReply>();
  const auto echo = s.Await<wp::EchoReply>();
  return Judge{reply && echo && echo->identifier == 5, s.HeardControl()};
}

Result StartAndCallInASegment(Session& s) {
  if (!s.Connect()) {
    return s.Broken();
  }
  std::vector<uint8_t> octets = StartOctets();
  Append(&octets, wp::Emit(wp::OutgoingCallRequest{.call_id = Session::NewCallId(),
                                                   .bearer_type = 3,
                                                   .framing_type = 3,
                                                   .receive_window = 64}));
  s.control.Send(octets);
  const auto reply = s.Await<wp::OutgoingCallReply>();
  return Judge{reply && reply->result == 1, s.HeardControl()};
}

Result SplitInTheSecond(Session& s) {
  if (!s.Connect()) {
    return s.Broken();
  }
  std::vector<uint8_t> octets = StartOctets();
  Append(&octets, wp::Emit(wp::EchoRequest{.identifier = 6}));
  const size_t split = octets.size() - 7;
  s.control.Send(Octets(octets).first(split));
  const auto reply = s.Await<wp::StartReply>();
  s.control.Send(Octets(octets).subspan(split));
  const auto echo = s.Await<wp::EchoReply>();
  return Judge{reply && echo && echo->identifier == 6, s.HeardControl()};
}

// Closes: octets after which no server may go on. `started`: after Start.
Result Closes(Session& s, const std::vector<uint8_t>& octets, bool started) {
  if (started ? !s.Start() : !s.Connect()) {
    return s.Broken();
  }
  s.Forget();
  s.control.Send(octets);
  return Judge{s.WaitClosed() && s.ServerAlive(), s.HeardControl()};
}

std::vector<uint8_t> BadCookie(std::vector<uint8_t> octets) {
  octets[4] = 0xde;
  return octets;
}

std::vector<uint8_t> WithLength(uint16_t length, size_t num_octets) {
  std::vector<uint8_t> octets = StartOctets();
  wire::StoreBe16(octets.data(), length);
  octets.resize(num_octets);
  return octets;
}

Result ManagementMessage(Session& s) {
  if (!s.Start()) {
    return s.Broken();
  }
  s.Forget();
  std::vector<uint8_t> octets = wp::Emit(wp::EchoRequest{.identifier = 1});
  wire::StoreBe16(&octets[2], 2);
  s.control.Send(octets);
  if (s.WaitClosed(500)) {
    return Fine("closed");
  }
  const bool alive = s.ControlAlive();
  for (const wp::Message& message : s.control.heard()) {
    const auto* echo = std::get_if<wp::EchoReply>(&message);
    if (echo != nullptr && echo->identifier == 1) {
      return Departs("taken for a control message", "pptpd");
    }
  }
  return Holds{alive, "ignored"};
}

Result UnknownControlType(Session& s) {
  if (!s.Start()) {
    return s.Broken();
  }
  s.Forget();
  std::vector<uint8_t> octets = wp::Emit(wp::EchoRequest{});
  wire::StoreBe16(&octets[8], 99);
  s.control.Send(octets);
  if (s.WaitClosed(500)) {
    return s.ServerAlive() ? Fine("closed") : Violates("the server is gone");
  }
  return Holds{s.ControlAlive(), "ignored"};
}

Result HalfMessage(Session& s) {
  if (!s.Connect()) {
    return s.Broken();
  }
  s.control.Send(Octets(StartOctets()).first(80));
  s.Quiet();
  const bool silent = s.control.heard().empty();
  s.control.Reset();
  return Judge{silent && s.ServerAlive(), silent ? "nothing before the rest" : s.HeardControl()};
}

Result SecondConnection(Session& s) {
  if (!s.Start()) {
    return s.Broken();
  }
  Session other(&s.target(), &s.survey());
  if (other.Start()) {
    return Holds{s.ControlAlive(), "both are served"};  // NAT: it may be another client
  }
  return Judge{s.ControlAlive(), "the second is refused: " + other.problem()};
}

const std::string kHttp = "GET / HTTP/1.0\r\n\r\n";

constexpr Case kCases[] = {
    {"control/octet-by-octet", "RFC 2637 s1.4", "Start-Request in 156 segments", "Start-Reply",
     kNothing, 0, OctetByOctet},
    {"control/two-in-a-segment", "RFC 2637 s1.4", "Start-Request and Echo-Request in one segment",
     "both answered", kNothing, 0, TwoInASegment},
    {"control/call-in-the-same-segment", "RFC 2637 s1.4",
     "Start-Request and Outgoing-Call-Request in one segment", "both answered", kNothing, 0,
     StartAndCallInASegment},
    {"control/split-in-the-second", "RFC 2637 s1.4", "one message and half the next, then the rest",
     "both answered", kNothing, 0, SplitInTheSecond},
    {"control/bad-cookie", "RFC 2637 s1.4", "Start-Request with a wrong magic cookie",
     "the connection closed", kNothing, 0,
     [](Session& s) { return Closes(s, BadCookie(StartOctets()), false); }},
    {"control/bad-cookie-later", "RFC 2637 s1.4", "Echo-Request with a wrong magic cookie",
     "the connection closed", kNothing, 0,
     [](Session& s) { return Closes(s, BadCookie(wp::Emit(wp::EchoRequest{})), true); }},
    {"control/length-one-less", "RFC 2637 s1.4", "Start-Request whose length says 155",
     "the connection closed", kNothing, 0,
     [](Session& s) { return Closes(s, WithLength(155, 156), false); }},
    {"control/length-one-more", "RFC 2637 s1.4", "Start-Request whose length says 157",
     "the connection closed", kNothing, 0,
     [](Session& s) { return Closes(s, WithLength(157, 157), false); }},
    {"control/length-zero", "RFC 2637 s1.4", "Start-Request whose length says 0",
     "the connection closed", kNothing, 0,
     [](Session& s) { return Closes(s, WithLength(0, 156), false); }},
    {"control/length-below-header", "RFC 2637 s1.4", "Start-Request whose length says 11",
     "the connection closed", kNothing, 0,
     [](Session& s) { return Closes(s, WithLength(11, 156), false); }},
    {"control/length-65535", "RFC 2637 s1.4", "Start-Request whose length says 65535",
     "the connection closed", kNothing, 0,
     [](Session& s) { return Closes(s, WithLength(65535, 400), false); }},
    {"control/not-pptp", "RFC 2637 s1.4", "an HTTP request", "the connection closed", kNothing, 0,
     [](Session& s) {
       return Closes(s, {kHttp.begin(), kHttp.end()}, false);
     }},
    {"control/management-message", "RFC 2637 s1.4", "Echo-Request of PPTP message type 2",
     "no answer to it", kNothing, 0, ManagementMessage},
    {"control/unknown-type", "RFC 2637 s1.4", "control message type 99", "ignored, or closed",
     kNothing, 0, UnknownControlType},
    {"control/half-a-message", "RFC 2637 s1.4", "80 octets of a Start-Request, then RST",
     "no answer, and the server goes on", kNothing, 0, HalfMessage},
    {"control/second-connection", "RFC 2637 s3.1", "a second connection from the same address",
     "the first goes on", kNothing, 0, SecondConnection},
};

}  // namespace

std::span<const Case> ControlStreamCases() { return kCases; }

}  // namespace culvert::load::conformance
