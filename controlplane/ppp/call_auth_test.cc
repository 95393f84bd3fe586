// Authentication in a call: every method, and everything that can go wrong with it.
#include <gtest/gtest.h>

#include "controlplane/ppp/call_script.h"

namespace culvert::ppp::testing {
namespace {

PppSettings Methods(std::vector<AuthMethod> methods, MppePolicy mppe = MppePolicy::kDeny) {
  PppSettings settings = TestSettings();
  settings.methods = std::move(methods);
  settings.mppe = mppe;
  return settings;
}

const std::string kPapRequest = "05" + HexOf("alice") + "06" + HexOf("secret");
const std::string kChallenge16 = "10 03030303030303030303030303030303" + HexOf("culvert");
const std::string kMsChapResponse =
    "31" + std::string(48, '5') + std::string(48, '6') + "01" + HexOf("alice");

TEST(CallAuth, Pap) {
  Script s(Methods({AuthMethod::kPap}));
  s.OpenLcp("c023");
  s.ExpectNothing();
  s.Receive(Pap(1, 7, kPapRequest));
  s.Expect("authenticate alice");
  EXPECT_TRUE(std::get<PapExchange>(s.question().exchange)
                  .password.Equals(std::vector<uint8_t>{'s', 'e', 'c', 'r', 'e', 't'}));
  s.Receive(Pap(1, 7, kPapRequest));  // while AAA thinks
  s.ExpectNothing();
  s.Answer(Accepted());
  s.Expect(Pap(2, 7, "00"));
  s.Expect("authenticated alice");
  s.Expect(Ipcp(1, 1, "0306 0a4d0001"));
  s.Receive(Pap(1, 7, kPapRequest));  // the Ack was lost: the same again, AAA is not asked
  s.Expect(Pap(2, 7, "00"));
  s.Receive(Pap(1, 8, kPapRequest));
  s.ExpectNothing();
  EXPECT_EQ(s.counters().bad_identifiers, 1u);
}

TEST(CallAuth, ChapMd5) {
  Script s(Methods({AuthMethod::kChapMd5}));
  s.OpenLcp("c22305");
  s.Expect(Chap(1, 3, kChallenge16));
  s.Receive(Chap(2, 4, "10" + std::string(32, '7') + HexOf("alice")));  // wrong identifier
  s.ExpectNothing();
  EXPECT_EQ(s.counters().bad_identifiers, 1u);
  s.Receive(Chap(2, 3, "10" + std::string(32, '7') + HexOf("alice")));
  s.Expect("authenticate alice");
  const auto& exchange = std::get<ChapMd5Exchange>(s.question().exchange);
  EXPECT_EQ(exchange.identifier, 3);
  EXPECT_EQ(exchange.challenge, std::vector<uint8_t>(16, 3));
  EXPECT_EQ(exchange.response[15], 0x77);
  s.Answer(Accepted());
  s.Expect(Chap(3, 3, HexOf("Access granted")));
  s.Expect("authenticated alice");
  s.Expect(Ipcp(1, 1, "0306 0a4d0001"));
  s.Receive(Chap(2, 3, "10" + std::string(32, '7') + HexOf("alice")));
  s.Expect(Chap(3, 3, HexOf("Access granted")));
  s.ExpectNothing();
}

TEST(CallAuth, MsChap) {
  Script s(Methods({AuthMethod::kMsChap}));
  s.OpenLcp("c22380");
  s.Expect(Chap(1, 3, "08 0303030303030303" + HexOf("culvert")));
  s.Receive(Chap(2, 3, kMsChapResponse));
  s.Expect("authenticate alice");
  const auto& exchange = std::get<MsChapExchange>(s.question().exchange);
  EXPECT_EQ(exchange.challenge[7], 3);
  EXPECT_EQ(exchange.lm_response[0], 0x55);
  EXPECT_EQ(exchange.nt_response[23], 0x66);
  EXPECT_EQ(exchange.flags, 1);
  s.Answer(Accepted());
  s.Expect(Chap(3, 3, HexOf("Access granted")));
}

TEST(CallAuth, MsChapV2) {
  Script s(Methods({AuthMethod::kMsChapV2}));
  s.OpenLcp();
  s.Wait(1000);  // the Challenge was lost: the same again
  s.Expect(Chap(1, 3, kChallenge16));
  s.Authenticate();
  const auto& exchange = std::get<MsChapV2Exchange>(s.question().exchange);
  EXPECT_EQ(exchange.peer_challenge[0], 0x55);
  EXPECT_EQ(exchange.nt_response[0], 0x66);
  EXPECT_EQ(exchange.challenge[0], 3);
  s.Expect(Chap(3, 3, HexOf("S=" + std::string(40, 'A') + " M=Access granted")));
}

TEST(CallAuth, MsChapFailureHidesTheReason) {
  for (const AuthMethod method : {AuthMethod::kMsChap, AuthMethod::kMsChapV2}) {
    const bool v2 = method == AuthMethod::kMsChapV2;
    Script s(Methods({method}));
    s.OpenLcp(v2 ? "c22381" : "c22380");
    s.Skip();
    s.Receive(Chap(2, 3, kMsChapResponse));
    s.Expect("authenticate alice");
    s.Answer(Rejected());
    const std::string challenge = v2 ? "04040404040404040404040404040404" : "0404040404040404";
    s.Expect(Chap(4, 3, HexOf("E=691 R=0 C=" + challenge + " V=3 M=Authentication failure")));
    s.Expect(Lcp(5, 2, HexOf("authentication failed")));
    s.Receive(Lcp(6, 2));
    s.Expect("ended authentication failed: wrong password");
    EXPECT_EQ(s.end_kind(), EndKind::kAuthentication);
  }
}

TEST(CallAuth, PapAndChapFailure) {
  Script pap(Methods({AuthMethod::kPap}));
  pap.OpenLcp("c023");
  pap.Receive(Pap(1, 7, kPapRequest));
  pap.Skip();
  pap.Answer(Rejected());
  pap.Expect(Pap(3, 7, "16" + HexOf("Authentication failure")));
  pap.Expect(Lcp(5, 2, HexOf("authentication failed")));

  Script chap(Methods({AuthMethod::kChapMd5}));
  chap.OpenLcp("c22305");
  chap.Receive(Chap(2, 3, "10" + std::string(32, '7') + HexOf("alice")));
  chap.Skip();
  chap.Answer(Rejected());
  chap.Expect(Chap(4, 3, HexOf("Authentication failure")));
  chap.Expect(Lcp(5, 2, HexOf("authentication failed")));
}

TEST(CallAuth, AcceptedWithoutAddressIsRefusedPolitely) {
  Script s;
  s.OpenLcp();
  AuthResult result = Accepted();
  result.lease.client_address = 0;
  result.no_address_reason = "pool \"main\" is empty";
  s.Authenticate(std::move(result));
  s.Expect(Chap(3, 3, HexOf("S=" + std::string(40, 'A') + " M=Access granted")));
  s.Expect("authenticated alice");
  s.Expect(Lcp(5, 2, HexOf("no address available")));
  s.Receive(Lcp(6, 2));
  s.Expect("ended no address: pool \"main\" is empty");
  EXPECT_EQ(s.end_kind(), EndKind::kNetwork);
}

TEST(CallAuth, NakWithAnAllowedMethodGetsThatOne) {
  Script s(Methods({AuthMethod::kMsChapV2, AuthMethod::kMsChap, AuthMethod::kChapMd5}));
  s.Start();
  s.Skip();
  s.Receive(Lcp(3, 1, "0305 c22305"));
  s.Expect(Lcp(1, 2, "0104 0578 0305 c22305 0506 01010101 0702 0802"));
  // It does not want this one either: what is left is offered, whatever it says.
  s.Receive(Lcp(3, 2, "0304 c023"));
  s.Expect(Lcp(1, 3, "0104 0578 0305 c22380 0506 01010101 0702 0802"));
  s.Receive(Lcp(3, 3, "0304 c023"));
  s.Expect(Lcp(5, 4, HexOf("no authentication method in common")));
  s.Receive(Lcp(6, 4));
  s.Expect("ended LCP: no authentication method in common");
}

TEST(CallAuth, NakWithAForbiddenMethodGetsTheNextBest) {
  Script s(Methods({AuthMethod::kMsChapV2, AuthMethod::kPap}));
  s.Start();
  s.Skip();
  s.Receive(Lcp(3, 1, "0304 c227"));  // EAP
  s.Expect(Lcp(1, 2, "0104 0578 0304 c023 0506 01010101 0702 0802"));
}

TEST(CallAuth, RejectOfAuthenticationEndsTheCall) {
  Script s;
  s.Start();
  s.Skip();
  s.Receive(Lcp(4, 1, "0305 c22381"));
  s.Expect(Lcp(5, 2, HexOf("the client refuses to authenticate")));
  s.Wait(10000);
  s.Skip();
  EXPECT_TRUE(s.SawEnd());
}

TEST(CallAuth, RequiredMppeOffersOnlyMethodsWithKeys) {
  Script s(
      Methods({AuthMethod::kPap, AuthMethod::kMsChap, AuthMethod::kChapMd5}, MppePolicy::kRequire));
  s.Start();
  s.Expect(Lcp(1, 1, "0104 0578 0305 c22380 0506 01010101 0702 0802"));
  Script none(Methods({AuthMethod::kPap}, MppePolicy::kRequire));
  none.Start();
  none.Expect("ended no allowed authentication method gives the keys that required MPPE needs");
  EXPECT_EQ(none.end_kind(), EndKind::kEncryption);
}

TEST(CallAuth, RequiredMppeWithoutKeysEndsTheCall) {
  Script s(Methods({AuthMethod::kMsChapV2}, MppePolicy::kRequire));
  s.OpenLcp();
  AuthResult result = Accepted();
  result.keys = {};
  s.Authenticate(std::move(result));
  s.Skip();
  s.Receive(Lcp(6, 2));
  s.Expect("ended MPPE is required, but the authentication gave no key for it");
}

TEST(CallAuth, SilentClient) {
  Script s;
  s.OpenLcp();
  for (int i = 0; i < 10; ++i) {
    s.Expect(Chap(1, 3, kChallenge16));
    s.Wait(i == 0 ? 1000 : i == 1 ? 2000 : 3000);
  }
  s.Expect(Lcp(5, 2, HexOf("authentication timed out")));
  s.Receive(Lcp(6, 2));
  s.Expect("ended authentication: the client does not answer the Challenge");
  EXPECT_EQ(s.end_kind(), EndKind::kAuthentication);

  Script pap(Methods({AuthMethod::kPap}));
  pap.OpenLcp("c023");
  pap.Wait(29999);
  pap.ExpectNothing();
  pap.Wait(1);
  pap.Expect(Lcp(5, 2, HexOf("authentication timed out")));
}

TEST(CallAuth, SilentAaa) {
  Script s;
  s.OpenLcp();
  s.Receive(Chap(2, 3, kMsChapResponse));
  s.Skip();
  s.Wait(30000);
  s.Expect(Lcp(5, 2, HexOf("authentication timed out")));
  s.Answer(Accepted());  // too late
  s.ExpectNothing();
  s.Wait(10000);
  s.Skip();
  EXPECT_TRUE(s.SawEnd());
}

TEST(CallAuth, LyingPacketsAreDroppedAndCounted) {
  Script s;
  s.OpenLcp();
  s.Expect(Chap(1, 3, kChallenge16));
  s.Receive(Chap(2, 3, "30" + std::string(96, '5') + HexOf("alice")));  // 48 octets
  s.Receive(Chap(2, 3, "31 00"));                                       // 49 are not there
  s.Receive(Chap(2, 3, ""));
  EXPECT_EQ(s.counters().malformed_packets, 3u);
  s.Receive(Chap(3, 3, ""));  // a Success from the client
  s.Receive(Pap(1, 1, kPapRequest));
  EXPECT_EQ(s.counters().unknown_codes, 1u);
  EXPECT_EQ(s.counters().out_of_phase, 1u);
  s.ExpectNothing();
  s.Receive(Chap(2, 3, kMsChapResponse));
  s.Expect("authenticate alice");
}

TEST(CallAuth, LcpAgainStartsAllOverAndOldVerdictsDoNotCount) {
  Script s(Methods({AuthMethod::kMsChapV2}));
  s.OpenLcp();
  s.Receive(Chap(2, 3, kMsChapResponse));
  s.Skip();
  s.Receive(Lcp(1, 2, "0506 0a0b0c0e"));
  s.Expect(Lcp(1, 2, "0104 0578 0305 c22381 0506 04040404 0702 0802"));
  s.Expect(Lcp(2, 2, "0506 0a0b0c0e"));
  s.Receive(Lcp(2, 2, "0104 0578 0305 c22381 0506 04040404 0702 0802"));
  s.Expect(Chap(1, 9, "10 06060606060606060606060606060606" + HexOf("culvert")));
  s.Receive(Chap(2, 9, kMsChapResponse));
  s.ExpectNothing();     // AAA is still busy with the first
  s.Answer(Accepted());  // ... which does not matter any more
  s.Expect("authenticate alice");
  EXPECT_EQ(std::get<MsChapV2Exchange>(s.question().exchange).challenge[0], 6);
  s.Answer(Accepted());
  s.Expect(Chap(3, 9, HexOf("S=" + std::string(40, 'A') + " M=Access granted")));
}

}  // namespace
}  // namespace culvert::ppp::testing
