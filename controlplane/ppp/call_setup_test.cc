// Whole calls with the clients of the field, frame by frame.
#include <gtest/gtest.h>

#include "controlplane/ppp/call_script.h"

namespace culvert::ppp::testing {
namespace {

constexpr char kSuccess[] =
    "533d41414141414141414141414141414141414141414141414141414141414141414141414141414141"
    "204d3d416363657373206772616e746564";

PppSettings Policy(MppePolicy mppe) {
  PppSettings settings = TestSettings();
  settings.mppe = mppe;
  return settings;
}

// pppd 2.4.9 with require-mppe-128, as the captures show it.
TEST(CallSetup, Pppd) {
  Script s(Policy(MppePolicy::kRequire));
  s.OpenLcp();
  EXPECT_EQ(s.call().phase(), Phase::kAuthenticate);
  s.Authenticate();
  EXPECT_TRUE(std::holds_alternative<MsChapV2Exchange>(s.question().exchange));
  EXPECT_EQ(s.question().user, "alice");
  s.Expect(Chap(3, 3, kSuccess));
  s.Expect("authenticated alice");
  s.Expect(Ccp(1, 1, "1206 010000e0"));
  s.ExpectNothing();  // IPCP waits for CCP
  EXPECT_EQ(s.call().phase(), Phase::kNetwork);

  s.Receive(Ccp(1, 1, "1206 01000040"));
  s.Expect("program 0.0.0.0 rx 128/1/22 tx - mru 1500 mtu 1500 acfc pfc required");
  s.Expect(Ccp(2, 1, "1206 01000040"));
  s.Receive(Ccp(3, 1, "1206 01000040"));
  s.Expect(Ccp(1, 2, "1206 01000040"));
  s.Receive(Ccp(2, 2, "1206 01000040"));
  s.Expect("program 0.0.0.0 rx 128/1/22 tx 128/1/11 mru 1500 mtu 1500 acfc pfc required");
  s.Expect(Ipcp(1, 1, "0306 0a4d0001"));
  EXPECT_EQ(s.call().mppe_bits(), 128);

  s.Receive(Ipcp(1, 1, "0206 002d0f01 0306 00000000"));
  s.Expect(Ipcp(4, 1, "0206 002d0f01"));
  s.Receive(Ipcp(2, 1, "0306 0a4d0001"));
  s.Receive(Ipcp(1, 2, "0306 00000000"));
  s.Expect(Ipcp(3, 2, "0306 0a4d000a"));
  s.Receive(Ipcp(1, 3, "0306 0a4d000a"));
  s.Expect("program 10.77.0.10 rx 128/1/22 tx 128/1/11 mru 1500 mtu 1500 acfc pfc required");
  s.Expect(Ipcp(2, 3, "0306 0a4d000a"));
  s.Expect("up 128");
  s.ExpectNothing();
  EXPECT_EQ(s.call().phase(), Phase::kOpen);
  EXPECT_FALSE(s.call().deadline_ms());

  s.Receive(Lcp(5, 2, HexOf("MPPE disabled")));
  s.Expect(Lcp(6, 2));
  s.Expect("program 0.0.0.0 rx - tx - mru 1500 mtu 1500 required");
  s.Wait(1000);
  s.Expect("ended the peer hung up: MPPE disabled");
  EXPECT_EQ(s.end_kind(), EndKind::kPeerHungUp);
}

// Windows 10: callback, Identification in every phase, a first request that gets lost, all NCPs
// in one burst right after the answer, IPV6CP, CCP without a strength, WINS.
TEST(CallSetup, Windows10) {
  Script s(Policy(MppePolicy::kRequire));
  const std::string ours = "0104 0578 0305 c22381 0506 01010101 0702 0802";
  s.Start();
  s.Expect(Lcp(1, 1, ours));  // lost: the client's GRE is not ready
  s.Receive("ff03c0210100001501040578050612b86bf0070208020d0306");
  s.Expect(Lcp(4, 0, "0d0306"));
  s.Receive("ff03c0210101001201040578050612b86bf007020802");
  s.Expect(Lcp(2, 1, "01040578 0506 12b86bf0 0702 0802"));
  s.Receive("ff03c0210c02001212b86bf04d5352415356352e3230");
  s.ExpectNothing();
  s.Wait(1000);
  s.Expect(Lcp(1, 1, ours));
  s.Receive(Lcp(2, 1, ours));
  s.Receive("ff03c0210c03001712b86bf04d535241532d302d4445534b544f50");
  s.Expect(Chap(1, 3, "10 03030303030303030303030303030303" + HexOf("culvert")));
  s.Receive(Chap(2, 3,
                 "31" + std::string(32, '5') + std::string(16, '0') + std::string(48, '6') + "00" +
                     HexOf("DOMAIN\\user")));
  s.Expect("authenticate DOMAIN\\user");

  // The burst comes before AAA has answered.
  s.Receive("ff0380570105000e010a30665a7e8623e95b");
  s.Expect(Lcp(8, 2, "8057 0105000e010a30665a7e8623e95b"));
  s.Receive("ff0380fd0106000a120601000000");
  s.Receive("ff03802101070022030600000000810600000000820600000000830600000000840600000000");
  s.ExpectNothing();
  s.Answer(Accepted());
  s.Expect(Chap(3, 3, kSuccess));
  s.Expect("authenticated alice");
  s.Expect(Ccp(1, 1, "1206 010000e0"));
  s.Expect(Ccp(3, 6, "1206 01000040"));
  s.ExpectNothing();  // IPCP is held until CCP is open

  s.Receive(Ccp(3, 1, "1206 01000040"));
  s.Expect(Ccp(1, 2, "1206 01000040"));
  s.Receive("ff03c0210c04001412b86bf000112233445566778899aabb");
  s.Receive(Ccp(2, 2, "1206 01000040"));
  s.Receive(Ccp(1, 8, "1206 01000040"));
  s.Expect("program 0.0.0.0 rx 128/1/22 tx - mru 1400 mtu 1500 acfc pfc required");
  s.Expect(Ccp(2, 8, "1206 01000040"));
  s.Expect("program 0.0.0.0 rx 128/1/22 tx 128/1/11 mru 1400 mtu 1500 acfc pfc required");
  s.Expect(Ipcp(1, 1, "0306 0a4d0001"));
  s.Expect(Ipcp(4, 7, "8206 00000000 8406 00000000"));  // the held request

  s.Receive(Ipcp(2, 1, "0306 0a4d0001"));
  s.Receive(Ipcp(1, 9, "0306 00000000 8106 00000000 8306 00000000"));
  s.Expect(Ipcp(3, 9, "0306 0a4d000a 8106 08080808 8306 08080404"));
  s.Receive(Ipcp(1, 10, "0306 0a4d000a 8106 08080808 8306 08080404"));
  s.Expect("program 10.77.0.10 rx 128/1/22 tx 128/1/11 mru 1400 mtu 1500 acfc pfc required");
  s.Expect(Ipcp(2, 10, "0306 0a4d000a 8106 08080808 8306 08080404"));
  s.Expect("up 128");
  s.ExpectNothing();

  // CCP again while open: new keys, the call goes on and nothing is sent in clear meanwhile.
  s.Receive(Ccp(1, 11, "1206 01000040"));
  s.Expect("program 10.77.0.10 rx 128/2/22 tx - mru 1400 mtu 1500 acfc pfc required");
  s.Expect(Ccp(1, 3, "1206 01000040"));
  s.Expect(Ccp(2, 11, "1206 01000040"));
  EXPECT_EQ(s.call().phase(), Phase::kNetwork);
  s.Receive(Ccp(2, 3, "1206 01000040"));
  s.Expect("program 10.77.0.10 rx 128/2/22 tx 128/2/11 mru 1400 mtu 1500 acfc pfc required");
  s.ExpectNothing();
  EXPECT_EQ(s.call().phase(), Phase::kOpen);
}

TEST(CallSetup, WithoutEncryptionWhenDenied) {
  Script s(Policy(MppePolicy::kDeny));
  s.OpenLcp();
  s.Authenticate();
  s.Expect(Chap(3, 3, kSuccess));
  s.Expect("authenticated alice");
  s.Expect(Ipcp(1, 1, "0306 0a4d0001"));
  s.Receive(Ccp(1, 1, "1206 01000040"));
  s.Expect(Lcp(8, 2, "80fd 0101000a 1206 01000040"));
  s.Receive(Ipcp(1, 1, "0306 0a4d000a"));
  s.Expect("program 10.77.0.10 rx - tx - mru 1500 mtu 1500 acfc pfc");
  s.Expect(Ipcp(2, 1, "0306 0a4d000a"));
  s.Receive(Ipcp(2, 1, "0306 0a4d0001"));
  s.Expect("up 0");
  s.ExpectNothing();
}

TEST(CallSetup, LateCcpIsWelcomeWhenOptional) {
  Script s(Policy(MppePolicy::kAllow));
  s.OpenLcp();
  s.Authenticate();
  s.Skip();
  s.Receive(Ipcp(1, 9, "0306 00000000"));
  s.ExpectNothing();  // IPCP waits, but not for long
  s.Wait(1000);
  s.Expect(Ccp(1, 1, "1206 010000e0"));
  s.Expect(Ipcp(1, 1, "0306 0a4d0001"));
  s.Expect(Ipcp(3, 9, "0306 0a4d000a"));
  s.OpenIpcp();
  EXPECT_EQ(s.call().phase(), Phase::kOpen);
  s.Receive(Ccp(1, 1, "1206 010000e1"));
  s.Expect(Ccp(3, 1, "1206 01000040"));
  s.Receive(Ccp(1, 2, "1206 01000040"));
  s.Expect("program 10.77.0.10 rx 128/1/22 tx - mru 1500 mtu 1500 acfc pfc");
  s.Expect(Ccp(2, 2, "1206 01000040"));
  s.Receive(Ccp(2, 1, "1206 010000e0"));  // takes the whole choice: what it asked for counts
  s.Expect("program 10.77.0.10 rx 128/1/22 tx 128/1/11 mru 1500 mtu 1500 acfc pfc required");
  s.ExpectNothing();
  EXPECT_EQ(s.call().mppe_bits(), 128);
}

TEST(CallSetup, FortyBitWhenTheClientCanDoNoMore) {
  Script s(Policy(MppePolicy::kRequire));
  s.OpenLcp();
  s.Authenticate();
  s.Skip();
  s.Receive(Ccp(1, 1, "1206 01000020"));
  s.Expect("program 0.0.0.0 rx 40/1/44 tx - mru 1500 mtu 1500 acfc pfc required");
  s.Expect(Ccp(2, 1, "1206 01000020"));
  s.Receive(Ccp(3, 1, "1206 01000020"));
  s.Expect(Ccp(1, 2, "1206 01000020"));
  s.Receive(Ccp(2, 2, "1206 01000020"));
  s.Expect("program 0.0.0.0 rx 40/1/44 tx 40/1/33 mru 1500 mtu 1500 acfc pfc required");
  EXPECT_EQ(s.call().mppe_bits(), 40);
}

TEST(CallSetup, ReceiveKeyFollowsTheNakWithinOneNegotiation) {
  Script s(Policy(MppePolicy::kRequire));
  s.OpenLcp();
  s.Authenticate();
  s.Skip();
  s.Receive(Ccp(1, 1, "1206 01000040"));
  s.Skip();
  s.Receive(Ccp(3, 1, "1206 01000080"));
  // The peer may open with its Ack of this request, so the key is changed first.
  s.Expect("program 0.0.0.0 rx 56/2/44 tx - mru 1500 mtu 1500 acfc pfc required");
  s.Expect(Ccp(1, 2, "1206 01000080"));
  s.Receive(Ccp(2, 2, "1206 01000080"));
  s.Expect("program 0.0.0.0 rx 56/2/44 tx 128/2/11 mru 1500 mtu 1500 acfc pfc required");
}

TEST(CallSetup, PppdWithoutMppeWhenOptional) {
  Script s(Policy(MppePolicy::kAllow));
  s.OpenLcp();
  s.Authenticate();
  s.Skip();
  s.Receive(Ccp(4, 1, "1206 010000e0"));  // Configure-Reject
  s.Expect(Ccp(5, 2, HexOf("no MPPE")));
  s.Expect(Ipcp(1, 1, "0306 0a4d0001"));
  s.Receive(Ccp(6, 2));
  s.OpenIpcp();
  EXPECT_EQ(s.call().phase(), Phase::kOpen);
  EXPECT_EQ(s.call().mppe_bits(), 0);
}

TEST(CallSetup, HangUpFromOurSide) {
  Script s(Policy(MppePolicy::kDeny));
  s.OpenLcp();
  s.Authenticate();
  s.OpenIpcp();
  s.Terminate("terminated by operator");
  s.Expect(Lcp(5, 2, HexOf("closed by the gateway")));
  s.Expect("program 0.0.0.0 rx - tx - mru 1500 mtu 1500");
  s.Wait(1000);
  s.Expect(Lcp(5, 2, HexOf("closed by the gateway")));
  s.Receive(Lcp(6, 2));
  s.Expect("ended terminated by operator");
  EXPECT_EQ(s.end_kind(), EndKind::kAsked);
  s.Wait(100000);
  s.Receive(Lcp(9, 1, "0a0b0c0d"));
  s.Terminate("again");
  s.LowerDown("again");
  s.ExpectNothing();
}

TEST(CallSetup, LowerDownEndsAtOnce) {
  Script s;
  s.OpenLcp();
  s.Skip();
  s.LowerDown("control connection closed");
  s.Expect("ended control connection closed");
  EXPECT_EQ(s.end_kind(), EndKind::kAsked);
  s.ExpectNothing();
}

}  // namespace
}  // namespace culvert::ppp::testing
