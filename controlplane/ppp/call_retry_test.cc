// MS-CHAP: what AAA wants said in a Failure, retry (R=1), password change (E=648), memory.
#include <gtest/gtest.h>

#include <algorithm>

#include "controlplane/ppp/call_script.h"

namespace culvert::ppp::testing {
namespace {

PppSettings Retries(uint32_t retries, AuthMethod method = AuthMethod::kMsChapV2) {
  PppSettings settings = TestSettings();
  settings.methods = {method};
  settings.mppe = MppePolicy::kDeny;
  settings.auth_retries = retries;
  return settings;
}

std::string Response(int identifier) {
  return Chap(2, identifier,
              "31" + std::string(32, '5') + std::string(16, '0') + std::string(48, '6') + "00" +
                  HexOf("alice"));
}

AuthResult Failed(uint32_t code, bool retry = false) {
  AuthResult result = Rejected();
  result.mschap_failure =
      MsChapFailure{.code = code, .retry = retry, .challenge = {}, .message = {}};
  return result;
}

std::string Failure(int code, int retry, char challenge) {
  std::string c;
  for (int i = 0; i < 16; ++i) {
    c += {'0', challenge};
  }
  return "E=" + std::to_string(code) + " R=" + std::to_string(retry) + " C=" + c +
         " V=3 M=Authentication failure";
}

const std::string kChange = std::string(1032, 'e') + std::string(32, 'f') + std::string(32, 'a') +
                            std::string(16, '0') + std::string(48, 'b') + "0000";

void Ask(Script& s) {
  s.OpenLcp();
  s.Skip();
  s.Receive(Response(3));
  s.Expect("authenticate alice");
}

TEST(CallRetry, AsOftenAsConfiguredWithANewChallenge) {
  Script s(Retries(1));
  Ask(s);
  s.Answer(Rejected());
  s.Expect(Chap(4, 3, HexOf(Failure(691, 1, '4'))));
  s.ExpectNothing();
  s.Wait(40000);  // somebody types
  s.ExpectNothing();
  s.Receive(Response(3));  // the Failure was lost: from memory
  s.Expect(Chap(4, 3, HexOf(Failure(691, 1, '4'))));
  s.Receive(Response(5));
  s.ExpectNothing();
  EXPECT_EQ(s.counters().bad_identifiers, 1u);
  s.Receive(Response(4));
  s.Expect("authenticate alice");
  EXPECT_EQ(std::get<MsChapV2Exchange>(s.question().exchange).challenge[0], 4);
  EXPECT_EQ(std::get<MsChapV2Exchange>(s.question().exchange).identifier, 4);
  s.Receive(Response(3));  // late, while AAA thinks about the second
  s.ExpectNothing();
  s.Answer(Rejected());
  s.Expect(Chap(4, 4, HexOf(Failure(691, 0, '5'))));
  s.Expect(Lcp(5, 2, HexOf("authentication failed")));
}

TEST(CallRetry, RetrySucceeds) {
  Script s(Retries(3));
  Ask(s);
  s.Answer(Rejected());
  s.Skip();
  s.Receive(Response(4));
  s.Expect("authenticate alice");
  s.Answer(Accepted());
  s.Expect(Chap(3, 4, HexOf("S=" + std::string(40, 'A') + " M=Access granted")));
  s.Expect("authenticated alice");
}

TEST(CallRetry, NotByDefaultNorWhenAaaSaysNo) {
  Script never(Retries(0));
  Ask(never);
  never.Answer(Failed(691, true));
  never.Expect(Chap(4, 3, HexOf(Failure(691, 0, '4'))));
  never.Expect(Lcp(5, 2, HexOf("authentication failed")));

  Script refused(Retries(3));
  Ask(refused);
  refused.Answer(Failed(691, false));
  refused.Expect(Chap(4, 3, HexOf(Failure(691, 0, '4'))));

  Script disabled(Retries(3));  // another try would not help
  Ask(disabled);
  disabled.Answer(Failed(647, true));
  disabled.Expect(Chap(4, 3, HexOf(Failure(647, 0, '4'))));
  disabled.Expect(Lcp(5, 2, HexOf("authentication failed")));
}

TEST(CallRetry, ChallengeAndMessageOfAaa) {
  Script s(Retries(1));
  Ask(s);
  AuthResult result = Failed(691, true);
  result.mschap_failure->challenge = std::vector<uint8_t>(16, 0xcd);
  result.mschap_failure->message = "Wrong.\nAgain?";
  s.Answer(std::move(result));
  s.Expect(Chap(4, 3,
                HexOf("E=691 R=1 C=" + std::string("CDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCD") +
                      " V=3 M=Wrong. Again?")));
  s.Receive(Response(4));
  s.Expect("authenticate alice");
  EXPECT_EQ(std::get<MsChapV2Exchange>(s.question().exchange).challenge[0], 0xcd);
}

TEST(CallRetry, ReplyMessageIsTheText) {
  AuthResult accepted = Accepted();
  accepted.reply_message = "Hello";
  AuthResult rejected = Rejected();
  rejected.reply_message = std::string(300, 'x');
  const std::string cut(128, 'x');

  Script v2(Retries(0));
  v2.OpenLcp();
  AuthResult hello = Accepted();
  hello.reply_message = "Hello";
  v2.Authenticate(std::move(hello));
  v2.Expect(Chap(3, 3, HexOf("S=" + std::string(40, 'A') + " M=Hello")));

  Script pap(Retries(0, AuthMethod::kPap));
  pap.OpenLcp("c023");
  pap.Receive(Pap(1, 7, "05" + HexOf("alice") + "00"));
  pap.Skip();
  pap.Answer(std::move(accepted));
  pap.Expect(Pap(2, 7, "05" + HexOf("Hello")));

  Script chap(Retries(0, AuthMethod::kChapMd5));
  chap.OpenLcp("c22305");
  chap.Receive(Chap(2, 3, "10" + std::string(32, '7') + HexOf("alice")));
  chap.Skip();
  chap.Answer(std::move(rejected));
  chap.Expect(Chap(4, 3, HexOf(cut)));
}

TEST(CallRetry, PasswordChange) {
  Script s(Retries(0));
  Ask(s);
  s.Answer(Failed(648));
  s.Expect(Chap(4, 3, HexOf(Failure(648, 0, '4'))));
  s.Wait(50000);
  s.ExpectNothing();
  s.Receive(Chap(7, 4, kChange.substr(2)));
  s.ExpectNothing();
  EXPECT_EQ(s.counters().malformed_packets, 1u);
  s.Receive(Chap(7, 4, kChange));
  s.Expect("authenticate alice");
  const auto& change = std::get<MsChapV2ChangeExchange>(s.question().exchange);
  EXPECT_EQ(change.identifier, 4);
  EXPECT_EQ(change.challenge[0], 4);
  EXPECT_EQ(change.encrypted_password[515], 0xee);
  EXPECT_EQ(change.encrypted_hash[0], 0xff);
  EXPECT_EQ(change.peer_challenge[0], 0xaa);
  EXPECT_EQ(change.nt_response[23], 0xbb);
  s.Receive(Chap(7, 4, kChange));  // while AAA thinks
  s.ExpectNothing();
  s.Answer(Accepted());
  s.Expect(Chap(3, 4, HexOf("S=" + std::string(40, 'A') + " M=Access granted")));
  s.Expect("authenticated alice");
  s.Skip();
  s.Receive(Chap(7, 4, kChange));
  s.Expect(Chap(3, 4, HexOf("S=" + std::string(40, 'A') + " M=Access granted")));
}

TEST(CallRetry, NoRetryAfterAPasswordChange) {
  Script s(Retries(3));
  Ask(s);
  s.Answer(Failed(648));
  s.Skip();
  s.Receive(Chap(7, 4, kChange));
  s.Expect("authenticate alice");
  s.Answer(Failed(709));
  s.Expect(Chap(4, 4, HexOf(Failure(709, 0, '5'))));
  s.Expect(Lcp(5, 2, HexOf("authentication failed")));
}

TEST(CallRetry, PasswordChangeOnlyAfter648) {
  Script s(Retries(1));
  s.OpenLcp();
  s.Skip();
  s.Receive(Chap(7, 3, kChange));
  s.ExpectNothing();
  s.Receive(Response(3));
  s.Expect("authenticate alice");
  s.Answer(Rejected());
  s.Skip();
  s.Receive(Chap(7, 4, kChange));
  s.ExpectNothing();
  EXPECT_EQ(s.counters().unknown_codes, 2u);

  Script v1(Retries(1, AuthMethod::kMsChap));  // its change packets are not taken
  v1.OpenLcp("c22380");
  v1.Receive(Response(3));
  v1.Skip();
  v1.Answer(Failed(648));
  v1.Expect(Chap(4, 3, HexOf("E=648 R=0 C=0404040404040404 V=3 M=Authentication failure")));
  v1.Expect(Lcp(5, 2, HexOf("authentication failed")));
}

TEST(CallRetry, AClientThatNeverTriesAgain) {
  Script s(Retries(1));
  Ask(s);
  s.Answer(Rejected());
  s.Skip();
  s.Wait(60000);
  s.Expect(Lcp(5, 2, HexOf("authentication timed out")));
}

TEST(CallRetry, AChallengeForAMethodThatHasNone) {
  Script s(Retries(3));
  Ask(s);
  AuthResult result;
  result.verdict = AuthVerdict::kChallenge;
  s.Answer(std::move(result));
  s.Expect(Chap(4, 3, HexOf(Failure(691, 0, '4'))));
  s.Expect(Lcp(5, 2, HexOf("authentication failed")));
}

}  // namespace
}  // namespace culvert::ppp::testing
