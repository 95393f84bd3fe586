// EAP in a call: the PPP side passes the peer's Responses on and AAA's packets back.
#include <gtest/gtest.h>

#include "controlplane/ppp/call_script.h"
#include "tests/vectors/vectors.h"

namespace culvert::ppp::testing {
namespace {

using culvert::testing::FromHex;
using culvert::testing::ToHex;

PppSettings EapSettings(MppePolicy mppe = MppePolicy::kAllow) {
  PppSettings settings = TestSettings();
  settings.methods = {AuthMethod::kEap};
  settings.mppe = mppe;
  return settings;
}

const std::string kIdentity = "01" + HexOf("alice");

// Challenge is AAA's answer with an EAP Request of `identifier`.
AuthResult Challenge(int identifier, const std::string& data, const std::string& state = "77") {
  AuthResult result;
  result.verdict = AuthVerdict::kChallenge;
  result.eap = FromHex(Eap(1, identifier, data).substr(4));
  result.state = FromHex(state);
  return result;
}

std::string Asked(const Script& s) {
  return ToHex(std::get<EapExchange>(s.question().exchange).packet);
}

// OpenEap goes as far as the question on the identity.
void OpenEap(Script& s) {
  s.OpenLcp("c227");
  s.Expect(Eap(1, 3, "01"));
  s.Receive(Eap(2, 3, kIdentity));
  s.Expect("authenticate alice");
}

TEST(CallEap, RoundsUntilSuccessWithKeys) {
  Script s(EapSettings(MppePolicy::kRequire));
  OpenEap(s);
  EXPECT_EQ(Asked(s), "0203000a" + kIdentity);
  EXPECT_TRUE(s.question().state.empty());
  s.Answer(Challenge(9, "0d20", "aabb"));
  s.Expect(Eap(1, 9, "0d20"));
  s.Receive(Eap(2, 9, "0d00 1603"));
  s.Expect("authenticate alice");
  EXPECT_EQ(Asked(s), "020900080d001603");
  EXPECT_EQ(ToHex(s.question().state), "aabb");
  AuthResult accepted = Accepted();
  accepted.eap = FromHex("03090004");
  s.Answer(std::move(accepted));
  s.Expect(Eap(3, 9));
  s.Expect("authenticated alice");
  s.Expect(Ccp(1, 1, "1206 010000e0"));
  s.ExpectNothing();
}

TEST(CallEap, VerdictOfAaaDecidesNotItsPacket) {
  Script failed(EapSettings());
  OpenEap(failed);
  AuthResult rejected = Rejected();
  rejected.eap = FromHex("03030004");  // a Success with a reject
  failed.Answer(std::move(rejected));
  failed.Expect(Eap(4, 3));
  failed.Expect(Lcp(5, 2, HexOf("authentication failed")));

  Script passed(EapSettings());
  OpenEap(passed);
  AuthResult accepted = Accepted();
  accepted.eap = FromHex("04030004");
  passed.Answer(std::move(accepted));
  passed.Expect(Eap(3, 3));
  passed.Expect("authenticated alice");
}

TEST(CallEap, RequiredMppeWithAMethodThatGivesNoKeys) {
  Script s(EapSettings(MppePolicy::kRequire));
  OpenEap(s);
  AuthResult accepted = Accepted();
  accepted.keys = {};
  s.Answer(std::move(accepted));
  s.Expect(Eap(3, 3));
  s.Expect("authenticated alice");
  s.Expect(Lcp(5, 2, HexOf("MPPE is required")));
}

TEST(CallEap, RequestsAreSentAgainUnchanged) {
  Script s(EapSettings());
  s.OpenLcp("c227");
  s.Expect(Eap(1, 3, "01"));
  s.Wait(1000);
  s.Expect(Eap(1, 3, "01"));
  s.Receive(Eap(2, 3, kIdentity));
  s.Expect("authenticate alice");
  s.Wait(5000);  // AAA's turn
  s.ExpectNothing();
  s.Answer(Challenge(4, "0410" + std::string(32, 'a')));
  s.Expect(Eap(1, 4, "0410" + std::string(32, 'a')));
  s.Wait(1000);
  s.Expect(Eap(1, 4, "0410" + std::string(32, 'a')));
  s.Wait(2000);
  s.Expect(Eap(1, 4, "0410" + std::string(32, 'a')));
}

TEST(CallEap, SessionTimeoutOfAChallengeIsThePatience) {
  Script s(EapSettings());
  OpenEap(s);
  AuthResult challenge = Challenge(4, "0101");
  challenge.grants.session_timeout_s = 20;  // somebody reads a token
  s.Answer(std::move(challenge));
  s.Expect(Eap(1, 4, "0101"));
  s.Wait(19999);
  s.ExpectNothing();
  s.Wait(1);
  s.Expect(Eap(1, 4, "0101"));
}

TEST(CallEap, DuplicatesAndWrongIdentifiersAreDropped) {
  Script s(EapSettings());
  OpenEap(s);
  s.Receive(Eap(2, 3, kIdentity));  // while AAA thinks
  s.ExpectNothing();
  s.Answer(Challenge(4, "0410" + std::string(32, 'a')));
  s.Expect(Eap(1, 4, "0410" + std::string(32, 'a')));
  s.Receive(Eap(2, 3, kIdentity));
  s.Receive(Eap(2, 5, "04"));
  s.ExpectNothing();
  EXPECT_EQ(s.counters().bad_identifiers, 2u);
  s.Receive(Eap(2, 4, "0410" + std::string(32, 'b')));
  s.Expect("authenticate alice");
  s.Answer(Accepted());
  s.Expect(Eap(3, 4));
  s.Skip();
  s.Receive(Eap(2, 4, "0410" + std::string(32, 'b')));  // the Success was lost
  s.Expect(Eap(3, 4));
  s.Receive(Eap(2, 6, "0410"));
  s.ExpectNothing();
}

TEST(CallEap, LyingPacketsAreDroppedAndCounted) {
  Script s(EapSettings());
  s.OpenLcp("c227");
  s.Skip();
  s.Receive("c227 0203");         // no header
  s.Receive("c227 02030020 01");  // too long
  s.Receive("c227 02030004");     // no type
  s.Receive("c227 0903000501");   // no such code
  s.Receive(Eap(2, 3, "03 04"));  // Identity may not be refused
  s.Receive(Eap(2, 3, "04 10"));
  EXPECT_EQ(s.counters().malformed_packets, 6u);
  s.Receive(Eap(1, 3, "01"));  // who are we?
  s.Receive(Eap(3, 3));        // it says that it has succeeded
  EXPECT_EQ(s.counters().unknown_codes, 2u);
  s.Receive(Chap(2, 3, "10" + std::string(32, '7') + HexOf("alice")));
  s.Receive(Pap(1, 3, "0000"));
  EXPECT_EQ(s.counters().out_of_phase, 2u);
  s.ExpectNothing();
  s.Receive(Eap(2, 3, "01" + HexOf("bob") + "00" + HexOf("realm=x")));
  s.Expect("authenticate bob");  // what follows a NUL is no name
}

TEST(CallEap, RoundsAreBounded) {
  Script s(EapSettings());
  OpenEap(s);
  int rounds = 1;
  for (; rounds < 200 && !s.SawEnd() && s.call().phase() == Phase::kAuthenticate; ++rounds) {
    const int id = rounds % 200 + 10;
    s.Answer(Challenge(id, "0d00"));
    s.Skip();
    s.Receive(Eap(2, id, "0d00"));
    s.Skip();
  }
  EXPECT_EQ(rounds, 61);
  EXPECT_EQ(s.call().phase(), Phase::kTerminate);
}

TEST(CallEap, AChallengeWithoutRequestIsAFailure) {
  Script s(EapSettings());
  OpenEap(s);
  AuthResult challenge = Challenge(4, "0101");
  challenge.eap = FromHex("0304");
  s.Answer(std::move(challenge));
  s.Expect(Eap(4, 3));
  s.Expect(Lcp(5, 2, HexOf("authentication failed")));
  s.Receive(Lcp(6, 2));
  s.Expect("ended authentication failed: AAA's challenge holds no EAP Request");
}

TEST(CallEap, SilentClientAndSilentAaa) {
  Script client(EapSettings());
  client.OpenLcp("c227");
  client.Wait(27000);
  client.Skip();
  client.Receive(Lcp(6, 2));
  client.Expect("ended authentication: the client does not answer the Challenge");

  // Nobody invents a Failure when AAA is silent (RFC 3579 s2.2).
  Script aaa(EapSettings());
  OpenEap(aaa);
  aaa.Wait(30000);
  aaa.Expect(Lcp(5, 2, HexOf("authentication timed out")));
  aaa.Receive(Lcp(6, 2));
  aaa.Expect("ended authentication: no verdict on the authentication in time");
}

TEST(CallEap, NakOfLcpLeadsToAnotherProtocol) {
  PppSettings settings = EapSettings();
  settings.methods = {AuthMethod::kEap, AuthMethod::kMsChapV2};
  Script s(std::move(settings));
  s.Start();
  s.Expect(Lcp(1, 1, "0104 0578 0304 c227 0506 01010101 0702 0802"));
  s.Receive(Lcp(3, 1, "0305 c22381"));
  s.Expect(Lcp(1, 2, "0104 0578 0305 c22381 0506 01010101 0702 0802"));
}

TEST(CallEap, ProtocolRejectOfEapEndsTheCall) {
  Script s(EapSettings());
  s.OpenLcp("c227");
  s.Skip();
  s.Receive(Lcp(8, 9, "c227 01030005 01"));
  s.Expect(Lcp(5, 2, HexOf("authentication is required")));
}

}  // namespace
}  // namespace culvert::ppp::testing
