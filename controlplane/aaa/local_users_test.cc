#include "controlplane/aaa/local_users.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/crypto/mppe_keys.h"
#include "controlplane/crypto/mschap.h"
#include "controlplane/crypto/primitives.h"

namespace culvert {
namespace {

using ::testing::HasSubstr;

Secret SecretOf(std::string_view text) {
  return Secret({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

class LocalUsersTest : public ::testing::Test {
 protected:
  LocalUsersTest() {
    Users users;
    users.Insert("alice", {.password = SecretOf("secret"), .nt_hash = {}});
    users.Insert("bob", {.password = {}, .nt_hash = HashOf("secret")});
    User carol{.password = SecretOf("secret"), .nt_hash = {}};
    carol.edit_grants().fixed_address = 0x0a4d000a;
    users.Insert("carol", std::move(carol));
    users_ = std::make_unique<LocalUsers>(std::make_shared<const Users>(std::move(users)));
  }

  static Secret HashOf(std::string_view password) {
    return *crypto::NtPasswordHash(SecretOf(password).octets());
  }
  template <typename Exchange>
  AuthResult Ask(std::string user, Exchange exchange) {
    AuthRequest request;
    request.user = std::move(user);
    request.exchange = std::move(exchange);
    std::optional<AuthResult> answer;
    users_->Authenticate(std::move(request), [&](AuthResult result) {
      EXPECT_FALSE(answer.has_value());
      answer = std::move(result);
    });
    EXPECT_TRUE(answer.has_value());
    return std::move(*answer);
  }
  static PapExchange Pap(std::string_view password) { return {.password = SecretOf(password)}; }
  static ChapMd5Exchange Chap(std::string_view password) {
    ChapMd5Exchange exchange{.identifier = 9, .challenge = {1, 2, 3, 4}, .response = {}};
    Secret digest =
        crypto::Md5({{&exchange.identifier, 1}, SecretOf(password).octets(), exchange.challenge});
    std::copy(digest.octets().begin(), digest.octets().end(), exchange.response.begin());
    return exchange;
  }
  static MsChapExchange MsChap(std::string_view password) {
    MsChapExchange exchange;
    exchange.challenge = {1, 2, 3, 4, 5, 6, 7, 8};
    Secret hash = HashOf(password);
    exchange.nt_response = crypto::ChallengeResponse(exchange.challenge, crypto::SpanOf16(hash));
    exchange.flags = 1;
    return exchange;
  }
  static MsChapV2Exchange MsChapV2(std::string_view user, std::string_view password) {
    MsChapV2Exchange exchange;
    exchange.challenge.fill(0x11);
    exchange.peer_challenge.fill(0x22);
    Secret hash = HashOf(password);
    exchange.nt_response = crypto::GenerateNtResponse(exchange.challenge, exchange.peer_challenge,
                                                      user, crypto::SpanOf16(hash));
    return exchange;
  }

  std::unique_ptr<LocalUsers> users_;
};

TEST_F(LocalUsersTest, PapWithPasswordAndWithHash) {
  for (const char* user : {"alice", "bob", "DOMAIN\\alice"}) {
    AuthResult result = Ask(user, Pap("secret"));
    EXPECT_EQ(result.verdict, AuthVerdict::kAccept) << user;
    EXPECT_FALSE(result.keys.Has128());
    EXPECT_EQ(Ask(user, Pap("Secret")).reject_reason, "wrong password");
    EXPECT_EQ(Ask(user, Pap("")).verdict, AuthVerdict::kReject);
    EXPECT_EQ(Ask(user, Pap("\xff\xfe")).verdict, AuthVerdict::kReject);
  }
}

TEST_F(LocalUsersTest, ChapMd5NeedsTheClearPassword) {
  EXPECT_EQ(Ask("alice", Chap("secret")).verdict, AuthVerdict::kAccept);
  EXPECT_EQ(Ask("alice", Chap("wrong")).reject_reason, "wrong password");
  EXPECT_THAT(Ask("bob", Chap("secret")).reject_reason, HasSubstr("not an NT hash"));
  EXPECT_THAT(Ask("bob", Chap("")).reject_reason, HasSubstr("not an NT hash"));
}

TEST_F(LocalUsersTest, MsChapGivesKeys) {
  AuthResult alice = Ask("alice", MsChap("secret"));
  EXPECT_EQ(alice.verdict, AuthVerdict::kAccept);
  EXPECT_TRUE(alice.keys.Has128());
  EXPECT_TRUE(alice.keys.Has40And56());
  AuthResult bob = Ask("bob", MsChap("secret"));
  EXPECT_TRUE(bob.keys.Has128());
  EXPECT_FALSE(bob.keys.Has40And56()) << "no LM hash from an NT hash";
  EXPECT_EQ(Ask("alice", MsChap("wrong")).reject_reason, "wrong password");
  MsChapExchange lm_only = MsChap("secret");
  lm_only.flags = 0;
  EXPECT_THAT(Ask("alice", lm_only).reject_reason, HasSubstr("LM"));
}

TEST_F(LocalUsersTest, MsChapV2ProvesUsToTheClient) {
  for (const char* user : {"alice", "bob", "DOMAIN\\alice"}) {
    MsChapV2Exchange exchange = MsChapV2(user, "secret");
    AuthResult result = Ask(user, exchange);
    ASSERT_EQ(result.verdict, AuthVerdict::kAccept) << user;
    Secret hash = HashOf("secret");
    EXPECT_EQ(result.authenticator_response,
              crypto::AuthenticatorResponse(crypto::SpanOf16(hash), exchange.nt_response,
                                            exchange.peer_challenge, exchange.challenge, user));
    MppeStartKeys client = crypto::MsChapV2StartKeys(crypto::SpanOf16(hash), exchange.nt_response,
                                                     crypto::MppeSide::kClient);
    EXPECT_TRUE(result.keys.send_128.Equals(client.receive_128.octets()));
    EXPECT_TRUE(result.keys.receive_40_56.Equals(client.send_40_56.octets()));
    AuthResult wrong = Ask(user, MsChapV2(user, "wrong"));
    EXPECT_EQ(wrong.verdict, AuthVerdict::kReject);
    EXPECT_TRUE(wrong.authenticator_response.empty());
    EXPECT_FALSE(wrong.keys.Has128());
  }
}

TEST_F(LocalUsersTest, StrangersAreRejectedLikeWrongPasswords) {
  for (const char* user : {"", "mallory", "DOMAIN\\", "alice\n"}) {
    AuthResult result = Ask(user, Pap("secret"));
    EXPECT_EQ(result.verdict, AuthVerdict::kReject);
    EXPECT_EQ(result.reject_reason, "unknown user");
    EXPECT_TRUE(result.unknown_user);
    EXPECT_EQ(Ask(user, MsChapV2(user, "secret")).verdict, AuthVerdict::kReject);
  }
}

TEST_F(LocalUsersTest, ReplacedTableHoldsFromTheNextQuestionOn) {
  Users users;
  users.Insert("alice", {.password = SecretOf("other")});
  users_->Replace(std::make_shared<const Users>(std::move(users)));
  EXPECT_EQ(Ask("alice", Pap("secret")).verdict, AuthVerdict::kReject);
  EXPECT_EQ(Ask("alice", Pap("other")).verdict, AuthVerdict::kAccept);
  EXPECT_TRUE(Ask("bob", Pap("secret")).unknown_user);
}

TEST_F(LocalUsersTest, GrantsComeWithAcceptedUsersOnly) {
  EXPECT_EQ(Ask("carol", Pap("secret")).grants.fixed_address, 0x0a4d000au);
  EXPECT_EQ(Ask("carol", Pap("wrong")).grants.fixed_address, 0u);
}

}  // namespace
}  // namespace culvert
