// What clients must not get away with, and what must not hurt them.
#include <gtest/gtest.h>

#include "controlplane/ppp/call_script.h"

namespace culvert::ppp::testing {
namespace {

PppSettings Policy(MppePolicy mppe) {
  PppSettings settings = TestSettings();
  settings.mppe = mppe;
  return settings;
}

void OpenAll(Script* s) {
  s->OpenLcp();
  s->Authenticate();
  s->OpenCcp();
  s->OpenIpcp();
  EXPECT_EQ(s->call().phase(), Phase::kOpen);
}

// Ends says whether the call comes to its end without anybody's help.
bool Ends(Script* s) {
  s->Wait(10000);
  return s->SawEnd();
}

TEST(CallRefusal, LoopedBackLink) {
  Script s;
  s.Start();
  s.Skip();
  const std::string options = "0104 0578 0305 c22381 0506 01010101 0702 0802";
  for (int i = 0; i < 4; ++i) {
    s.Receive(Lcp(1, 1, options));  // our own request comes back
    const std::string octet = "0" + std::to_string(2 + i);
    s.Expect(Lcp(3, 1, "0506" + octet + octet + octet + octet));
  }
  s.Receive(Lcp(1, 1, options));
  s.Expect(Lcp(5, 2, HexOf("the link is looped back")));
  s.Receive(Lcp(5, 2, HexOf("the link is looped back")));
  s.Expect(Lcp(6, 2));
  s.Receive(Lcp(6, 2));
  s.Expect("ended LCP: the link is looped back");
  EXPECT_EQ(s.end_kind(), EndKind::kProtocol);
}

TEST(CallRefusal, LoopSeenInEcho) {
  Script s;
  s.OpenLcp();
  s.Skip();
  s.Receive(Lcp(9, 1, "01010101"));
  s.Expect(Lcp(5, 2, HexOf("the link is looped back")));
}

TEST(CallRefusal, MagicNumberRejectedMeansZeroInEcho) {
  Script s;
  s.Start();
  s.Skip();
  s.Receive(Lcp(4, 1, "0506 01010101 0702 0802"));
  s.Expect(Lcp(1, 2, "0104 0578 0305 c22381"));
  s.Receive(Lcp(1, 1));
  s.Expect(Lcp(2, 1));
  s.Receive(Lcp(2, 2, "0104 0578 0305 c22381"));
  s.Skip();
  s.Receive(Lcp(9, 5, "00000000 aabb"));
  s.Expect(Lcp(10, 5, "00000000 aabb"));
}

TEST(CallRefusal, EchoOnlyInOpenedAndCutToThePeersMru) {
  Script s;
  s.Start();
  s.Skip();
  s.Receive(Lcp(9, 1, "0a0b0c0d"));
  s.ExpectNothing();
  s.Receive(Lcp(1, 1, "0104 0080"));  // MRU 128
  s.Receive(Lcp(2, 1, "0104 0578 0305 c22381 0506 01010101 0702 0802"));
  s.Skip();
  s.Receive(Lcp(9, 2, "0a0b0c0d" + std::string(400, 'e')));
  s.Expect(Lcp(10, 2, "01010101" + std::string(240, 'e')));
}

TEST(CallRefusal, OptionsWithLyingLengths) {
  Script s;
  s.Start();
  s.Skip();
  s.Receive(Lcp(1, 1, "0105 0578"));        // beyond the packet
  s.Receive(Lcp(1, 2, "0101"));             // below 2
  s.Receive(Lcp(1, 3, "0103 05"));          // an MRU of one octet
  s.Receive(Lcp(1, 4, "0507 0102030405"));  // a magic number of five
  s.Receive(Lcp(1, 5, "0703 00"));          // PFC with a value
  EXPECT_EQ(s.counters().malformed_options, 5u);
  s.Receive("c021 01 06 0009 0104");  // a lying packet length
  s.Receive("c021 01 06 0003");
  EXPECT_EQ(s.counters().malformed_packets, 2u);
  s.Receive("c0");
  s.Receive("");
  s.Receive("ff03");
  s.Receive("c220 0101 0004");
  EXPECT_EQ(s.counters().malformed_frames, 4u);
  s.ExpectNothing();
  s.Receive(Lcp(1, 7, "0104 0578"));
  s.Expect(Lcp(2, 7, "0104 0578"));
}

TEST(CallRefusal, OptionsWithLyingLengthsInTheNetworkPhase) {
  Script s;
  OpenAll(&s);
  s.Receive(Ipcp(1, 9, "0305 0a4d00"));
  s.Receive(Ccp(1, 9, "1205 010000"));
  s.Receive(Ccp(1, 9, "1207 01000040"));
  EXPECT_EQ(s.counters().malformed_options, 3u);
  s.ExpectNothing();
  EXPECT_EQ(s.call().phase(), Phase::kOpen);
  EXPECT_EQ(s.call().mppe_bits(), 128);
}

TEST(CallRefusal, UnknownLcpOptionsAreRejectedUnchanged) {
  Script s;
  s.Start();
  s.Skip();
  const std::string unknown = "0408 c025 00000064 0d03 06 1104 05dc 1305 01aabb 0002 0304 c023";
  s.Receive(Lcp(1, 1, "0104 0040" + unknown));
  s.Expect(Lcp(4, 1, unknown));  // Reject goes before Nak
  s.Receive(Lcp(1, 2, "0104 0040"));
  s.Expect(Lcp(3, 2, "0104 05dc"));
}

TEST(CallRefusal, NakTurnsIntoRejectAfterMaxFailure) {
  Script s;
  s.Start();
  s.Skip();
  for (int id = 1; id <= 5; ++id) {
    s.Receive(Lcp(1, id, "0104 0040"));
    s.Expect(Lcp(3, id, "0104 05dc"));
  }
  s.Receive(Lcp(1, 6, "0104 0040"));
  s.Expect(Lcp(4, 6, "0104 0040"));
}

TEST(CallRefusal, ARequestThatIsNeverRightEndsTheCall) {
  Script s;
  s.Start();
  for (int id = 1; id <= 40 && !s.SawEnd(); ++id) {
    s.Receive(Lcp(1, id, "0304 c023"));
  }
  EXPECT_TRUE(Ends(&s));
}

TEST(CallRefusal, AnswersToNothingAreDropped) {
  Script s;
  OpenAll(&s);
  const std::string ours = "0104 0578 0305 c22381 0506 01010101 0702 0802";
  s.Receive(Lcp(2, 1, ours));  // a duplicate
  s.Receive(Lcp(3, 1, "0305 c22380"));
  s.Receive(Lcp(4, 1, "0305 c22381"));
  s.Receive(Lcp(6, 1));
  s.Receive(Ccp(2, 2, "1206 01000040"));
  s.Receive(Ipcp(2, 1, "0306 0a4d0001"));
  EXPECT_EQ(s.counters().bad_identifiers, 6u);
  s.ExpectNothing();
  EXPECT_EQ(s.call().phase(), Phase::kOpen);
}

TEST(CallRefusal, RejectOfWhatWeDidNotSend) {
  Script s;
  s.Start();
  s.Skip();
  s.Receive(Lcp(4, 1, "0802 0702"));      // not in our order
  s.Receive(Lcp(4, 1, "0506 01010102"));  // not unchanged
  s.Receive(Lcp(4, 1, "0206 00000000"));  // not ours
  s.Receive(Lcp(3, 1, "0506 01010102 0305 c22380"));
  s.Receive(Lcp(3, 1));
  EXPECT_EQ(s.counters().malformed_options, 5u);
  s.Receive(Lcp(2, 1, "0104 0578"));  // an Ack of something else
  EXPECT_EQ(s.counters().bad_identifiers, 1u);
  s.ExpectNothing();
}

TEST(CallRefusal, UnknownProtocolsAndCodes) {
  Script s;
  s.Start();
  s.Receive("8057 0101 0004");
  EXPECT_EQ(s.counters().out_of_phase, 1u);  // LCP is not open yet
  Script open;
  OpenAll(&open);
  open.Receive("8235 0101 0006 abcd");
  open.Expect(Lcp(8, 2, "8235 0101 0006 abcd"));
  open.Receive(Lcp(77, 9, "abcd"));
  open.Expect(Lcp(7, 3, "4d09 0006 abcd"));
  open.Receive(Ipcp(14, 1));
  open.Expect(Ipcp(7, 2, "0e01 0004"));
  for (int i = 0; i < 1000; ++i) {
    open.Receive("8057 0101 0004");
    open.Receive(Lcp(99, i & 255));
  }
  EXPECT_EQ(open.counters().unknown_protocols, 1001u);
  EXPECT_EQ(open.counters().unknown_codes, 1002u);
  for (int i = 0; i < 18; ++i) {
    open.Expect(
        Lcp(i % 2 == 0 ? 8 : 7, 4 + i, i % 2 == 0 ? "8057 0101 0004" : Lcp(99, i / 2).substr(4)));
  }
  open.ExpectNothing();  // ten a second of each
  open.Wait(1000);
  open.Receive("8057 0101 0004");
  open.Expect(Lcp(8, 22, "8057 0101 0004"));
}

TEST(CallRefusal, RequiredMppeRejectedOrClosed) {
  const std::vector<std::string> refusals = {
      Ccp(4, 1, "1206 010000e0"),              // Configure-Reject
      Ccp(3, 1, "1206 01000000"),              // Nak with no strength
      Ccp(5, 1),                               // Terminate-Request
      Lcp(8, 1, "80fd 0101000a1206010000e0"),  // Protocol-Reject
  };
  for (const std::string& refusal : refusals) {
    Script s(Policy(MppePolicy::kRequire));
    s.OpenLcp();
    s.Authenticate();
    s.Receive(refusal);
    EXPECT_EQ(s.call().phase(), Phase::kTerminate) << refusal;
    EXPECT_TRUE(Ends(&s)) << refusal;
  }
}

TEST(CallRefusal, RequiredMppeClosedLater) {
  for (const std::string& refusal : {Ccp(5, 9), Lcp(8, 1, "00fd 9000"), Lcp(8, 1, "80fd 0101")}) {
    Script s(Policy(MppePolicy::kRequire));
    OpenAll(&s);
    s.Receive(refusal);
    EXPECT_EQ(s.call().phase(), Phase::kTerminate) << refusal;
    EXPECT_TRUE(Ends(&s)) << refusal;
  }
}

TEST(CallRefusal, RequiredMppeAndASilentCcp) {
  Script s(Policy(MppePolicy::kRequire));
  s.OpenLcp();
  s.Authenticate();
  s.Receive(Ipcp(1, 1, "0306 00000000"));
  s.Wait(20000);
  EXPECT_EQ(s.call().phase(), Phase::kNetwork);
  s.Wait(40000);
  EXPECT_TRUE(s.SawEnd());
}

// pppd's "mppe -H -M -S -L": it never names a strength.
TEST(CallRefusal, MppeWithoutStrengthForEver) {
  for (const MppePolicy policy : {MppePolicy::kAllow, MppePolicy::kRequire}) {
    Script s(Policy(policy));
    s.OpenLcp();
    s.Authenticate();
    s.Wait(1000);
    s.OpenIpcp();
    for (int id = 1; id <= 60; ++id) {
      s.Receive(Ccp(1, id, "1206 00000000"));
    }
    s.Wait(10000);
    EXPECT_EQ(s.SawEnd(), policy == MppePolicy::kRequire);
    s.Skip();
    if (policy == MppePolicy::kAllow) {
      EXPECT_EQ(s.call().phase(), Phase::kOpen);
      s.Receive(Ccp(1, 61, "1206 00000000"));
      s.Expect(Ccp(6, 61));  // CCP is closed
    }
  }
}

TEST(CallRefusal, EmptyCcpRequests) {
  Script s(Policy(MppePolicy::kRequire));
  s.OpenLcp();
  s.Authenticate();
  s.Skip();
  s.Receive(Ccp(1, 1, "1a04 7800 1503 2f"));
  s.Expect(Ccp(4, 1, "1a04 7800 1503 2f"));
  s.Receive(Ccp(1, 2));
  s.Expect(Ccp(3, 2, "1206 01000040"));
  s.Receive(Ccp(1, 3));
  s.Expect(Ccp(3, 3, "1206 01000040"));
  s.Receive(Ccp(1, 4));
  s.Expect(Lcp(5, 2, HexOf("MPPE is required")));
}

TEST(CallRefusal, NaksForEver) {
  Script s(Policy(MppePolicy::kRequire));
  s.OpenLcp();
  s.Authenticate();
  for (int id = 1; id <= 40 && !s.SawEnd(); ++id) {
    s.Receive(Ccp(3, id, id % 2 == 0 ? "1206 01000020" : "1206 01000040"));
  }
  EXPECT_TRUE(Ends(&s));
}

TEST(CallRefusal, CcpRenegotiatedTooOften) {
  Script s(Policy(MppePolicy::kAllow));
  OpenAll(&s);
  for (int i = 0; i < 5; ++i) {
    s.Receive(Ccp(1, 10 + i, "1206 01000040"));
    s.Receive(Ccp(2, 3 + i, "1206 01000040"));
    EXPECT_EQ(s.call().mppe_bits(), 128) << i;
  }
  s.Receive(Ccp(1, 20, "1206 01000040"));
  EXPECT_EQ(s.call().phase(), Phase::kTerminate);
}

TEST(CallRefusal, LcpRenegotiatedTooOften) {
  Script s;
  s.OpenLcp();
  for (size_t i = 0; i < 5; ++i) {
    const int id = static_cast<int>(i);
    s.Skip();
    s.Receive(Lcp(1, 10 + id));
    const std::vector<std::string> magic = {"04040404", "07070707", "0a0a0a0a", "0d0d0d0d",
                                            "10101010"};
    s.Receive(Lcp(2, 2 + id, "0104 0578 0305 c22381 0506" + magic[i] + "0702 0802"));
    EXPECT_EQ(s.call().phase(), Phase::kAuthenticate) << i;
  }
  s.Receive(Lcp(1, 20));
  EXPECT_EQ(s.call().phase(), Phase::kTerminate);
}

TEST(CallRefusal, ClientWithoutAddressOption) {
  Script s(Policy(MppePolicy::kDeny));
  s.OpenLcp();
  s.Authenticate();
  s.Skip();
  for (int id = 1; id <= 5; ++id) {
    s.Receive(Ipcp(1, id));
    s.Expect(Ipcp(3, id, "0306 0a4d000a"));
  }
  s.Receive(Ipcp(1, 6));
  s.Expect(Lcp(5, 2, HexOf("IPCP failed")));
}

TEST(CallRefusal, ClientClosesIpcp) {
  Script s(Policy(MppePolicy::kDeny));
  s.OpenLcp();
  s.Authenticate();
  s.OpenIpcp();
  s.Receive(Ipcp(5, 9, HexOf("bye")));
  s.Expect(Ipcp(6, 9));
  s.Expect(Lcp(5, 2, HexOf("IPCP was closed")));
  s.Expect("program 0.0.0.0 rx - tx - mru 1500 mtu 1500");
  s.Receive(Lcp(6, 2));
  s.Expect("ended IPCP: the peer hung up: bye");
  EXPECT_EQ(s.end_kind(), EndKind::kPeerHungUp);
}

TEST(CallRefusal, GatewayAddressIsNotNegotiable) {
  Script s(Policy(MppePolicy::kDeny));
  s.OpenLcp();
  s.Authenticate();
  s.Skip();
  s.Receive(Ipcp(3, 1, "0306 01020304"));
  s.Expect(Ipcp(1, 2, "0306 0a4d0001"));
  s.Receive(Ipcp(4, 2, "0306 0a4d0001"));
  s.Expect(Ipcp(1, 3));
}

TEST(CallRefusal, ResetsAreTheDataPlanes) {
  Script s;
  OpenAll(&s);
  s.Receive("ff0380fd0e050004");
  s.Receive("ff0380fd0f050004");
  s.ExpectNothing();
  EXPECT_EQ(s.call().phase(), Phase::kOpen);
}

TEST(CallRefusal, ProtocolRejectOfDataBeforeTheClientIsReady) {
  Script s(Policy(MppePolicy::kDeny));
  s.OpenLcp();
  s.Authenticate();
  s.Receive(Ipcp(1, 1, "0306 0a4d000a"));
  s.Skip();
  s.Receive(Lcp(8, 1, "0021 4500"));
  s.ExpectNothing();
  s.Receive(Ipcp(2, 1, "0306 0a4d0001"));
  s.Expect("up 0");
}

TEST(CallRefusal, SetUpHasALimit) {
  PppSettings settings = Policy(MppePolicy::kDeny);
  settings.max_configure = 255;
  Script s(settings);
  s.OpenLcp();
  s.Authenticate();
  s.Wait(59999);
  EXPECT_EQ(s.call().phase(), Phase::kNetwork);
  s.Skip();
  s.Wait(1);
  s.Expect(Ipcp(1, 1, "0306 0a4d0001"));
  s.Expect(Lcp(5, 2, HexOf("set-up took too long")));
  EXPECT_TRUE(Ends(&s));
}

TEST(CallRefusal, NobodyAnswersAtAll) {
  Script s;
  s.Start();
  for (int i = 0; i < 10; ++i) {
    s.Expect(Lcp(1, 1, "0104 0578 0305 c22381 0506 01010101 0702 0802"));
    s.Wait(i == 0 ? 1000 : i == 1 ? 2000 : 3000);
  }
  s.Expect("ended LCP: the peer does not answer");
  EXPECT_EQ(s.end_kind(), EndKind::kPeerSilent);
}

TEST(CallRefusal, HeldFramesAreBounded) {
  Script s;
  s.OpenLcp();
  s.Skip();
  for (int id = 0; id < 100; ++id) {
    s.Receive(Ipcp(1, id, "0306 00000000"));
  }
  s.Receive(Ipcp(1, 1, std::string(1000, '0')));
  EXPECT_EQ(s.counters().out_of_phase, 93u);
}

}  // namespace
}  // namespace culvert::ppp::testing
