// What the data plane does for a call, and what it finds out: LCP echo, stateful MPPE, a new CCP.
#include <gtest/gtest.h>

#include "controlplane/ppp/call_script.h"

namespace culvert::ppp::testing {
namespace {

constexpr char kKeysProgrammed[] =
    "program 10.77.0.10 rx 128/1/22 tx 128/1/11 mru 1500 mtu 1500 acfc pfc required";

PppSettings Required() {
  PppSettings settings = TestSettings();
  settings.mppe = MppePolicy::kRequire;
  return settings;
}

TEST(CallOffload, EchoGoesWithTheMagicNumbers) {
  PppSettings settings = TestSettings();
  settings.mppe = MppePolicy::kDeny;
  settings.echo_interval_s = 30;
  settings.echo_failures = 3;
  Script s(settings);
  s.OpenLcp();
  s.Authenticate();
  s.Skip();
  s.Receive(Ipcp(1, 1, "0306 0a4d000a"));
  s.Expect("program 10.77.0.10 rx - tx - mru 1500 mtu 1500 acfc pfc echo 30/3/01010101/0a0b0c0d");
  s.Skip();
  s.Receive(Ipcp(2, 1, "0306 0a4d0001"));
  s.Skip();
  s.Wait(1'000'000);
  s.ExpectNothing();  // no echo from here
  EXPECT_EQ(s.call().phase(), Phase::kOpen);
}

TEST(CallOffload, EchoIsNotSentToAPeerThatKnowsNone) {
  PppSettings settings = TestSettings();
  settings.mppe = MppePolicy::kDeny;
  settings.echo_interval_s = 30;
  Script s(settings);
  s.OpenLcp();
  s.Authenticate();
  s.OpenIpcp();
  s.Receive(Lcp(7, 1, "0901 0008 01010101"));
  s.Expect("program 10.77.0.10 rx - tx - mru 1500 mtu 1500 acfc pfc");
  s.ExpectNothing();
}

TEST(CallOffload, EchoStopsWhileLcpIsNegotiatedAgain) {
  PppSettings settings = TestSettings();
  settings.mppe = MppePolicy::kDeny;
  settings.echo_interval_s = 30;
  Script s(settings);
  s.OpenLcp();
  s.Authenticate();
  s.OpenIpcp();
  s.Receive(Lcp(1, 9, "0506 0c0c0c0c"));
  s.Skip();
  s.ProgramAgain();
  s.Expect("program 0.0.0.0 rx - tx - mru 1500 mtu 1500");
}

TEST(CallOffload, ProgramAgainChangesNothing) {
  Script s(Required());
  s.OpenLcp();
  s.Authenticate();
  s.OpenCcp();
  s.OpenIpcp();
  s.ProgramAgain();
  s.Expect(kKeysProgrammed);
  s.ExpectNothing();
}

TEST(CallOffload, CcpIsNegotiatedAgainWhenMppeCannotBeFollowed) {
  Script s(Required());
  s.OpenLcp();
  s.Authenticate();
  s.OpenCcp();
  s.OpenIpcp();
  s.RenegotiateCcp();
  EXPECT_EQ(s.call().phase(), Phase::kNetwork);
  s.Expect(Ccp(1, 3, "1206 01000040"));
  s.Expect("program 10.77.0.10 rx 128/1/22 tx - mru 1500 mtu 1500 acfc pfc required");
  s.RenegotiateCcp();  // a second report changes nothing
  s.ExpectNothing();
  s.Receive(Ccp(1, 9, "1206 01000040"));
  s.Expect("program 10.77.0.10 rx 128/2/22 tx - mru 1500 mtu 1500 acfc pfc required");
  s.Expect(Ccp(2, 9, "1206 01000040"));
  s.Receive(Ccp(2, 3, "1206 01000040"));
  s.Expect("program 10.77.0.10 rx 128/2/22 tx 128/2/11 mru 1500 mtu 1500 acfc pfc required");
  EXPECT_EQ(s.call().phase(), Phase::kOpen);
}

TEST(CallOffload, ACcpThatFailsTooOftenEndsTheCall) {
  Script s(Required());
  s.OpenLcp();
  s.Authenticate();
  s.OpenCcp();
  s.OpenIpcp();
  for (int i = 0; i < 5; ++i) {
    s.RenegotiateCcp();
    s.Receive(Ccp(1, 10 + i, "1206 01000040"));
    s.Receive(Ccp(2, 3 + i, "1206 01000040"));
    EXPECT_EQ(s.call().phase(), Phase::kOpen) << i;
  }
  s.Skip();
  s.RenegotiateCcp();
  s.Expect(Lcp(5, 2, HexOf("too many renegotiations")));
}

TEST(CallOffload, NothingToNegotiateWithoutMppe) {
  PppSettings settings = TestSettings();
  settings.mppe = MppePolicy::kDeny;
  Script s(settings);
  s.RenegotiateCcp();
  s.OpenLcp();
  s.Authenticate();
  s.OpenIpcp();
  s.RenegotiateCcp();
  s.ExpectNothing();
}

TEST(CallOffload, StatefulMppeIsRefusedByDefault) {
  Script s(Required());
  s.OpenLcp();
  s.Authenticate();
  s.Skip();
  s.Receive(Ccp(1, 1, "1206 00000040"));
  s.Expect(Ccp(3, 1, "1206 01000040"));
  s.Receive(Ccp(3, 1, "1206 00000040"));
  s.Expect(Ccp(1, 2, "1206 01000040"));
}

TEST(CallOffload, StatefulMppeForAClientThatInsists) {
  PppSettings settings = Required();
  settings.mppe_stateful = true;
  Script s(settings);
  s.OpenLcp();
  s.Authenticate();
  s.Skip();
  s.Receive(Ccp(1, 1, "1206 00000060"));
  s.Expect(Ccp(3, 1, "1206 00000040"));  // one strength, in its mode
  s.Receive(Ccp(3, 1, "1206 00000040"));
  s.Expect(Ccp(1, 2, "1206 00000040"));
  s.Receive(Ccp(1, 2, "1206 00000040"));
  s.Expect("program 0.0.0.0 rx 128/1/22/stateful tx - mru 1500 mtu 1500 acfc pfc required");
  s.Expect(Ccp(2, 2, "1206 00000040"));
  s.Receive(Ccp(2, 2, "1206 00000040"));
  s.Expect(
      "program 0.0.0.0 rx 128/1/22/stateful tx 128/1/11/stateful mru 1500 mtu 1500 acfc pfc "
      "required");
}

TEST(CallOffload, EachDirectionHasItsOwnMode) {
  PppSettings settings = Required();
  settings.mppe_stateful = true;
  Script s(settings);
  s.OpenLcp();
  s.Authenticate();
  s.Skip();
  s.Receive(Ccp(3, 1, "1206 01000040"));
  s.Skip();
  s.Receive(Ccp(1, 1, "1206 00000040"));
  s.Skip();
  s.Receive(Ccp(2, 2, "1206 01000040"));
  s.Expect("program 0.0.0.0 rx 128/1/22 tx 128/1/11/stateful mru 1500 mtu 1500 acfc pfc required");
}

}  // namespace
}  // namespace culvert::ppp::testing
