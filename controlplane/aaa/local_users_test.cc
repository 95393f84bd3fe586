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
  LocalUsersTest()
      : pools_({{.name = "a", .ranges = {{.first = 0x0a4d000a, .last = 0x0a4d000b}}}}, 1000,
               [](uint32_t) { return 0u; }) {
    Users users;
    users.Insert("alice", {.password = SecretOf("secret"), .nt_hash = {}, .fixed_address = 0});
    users.Insert("bob", {.password = {}, .nt_hash = HashOf("secret"), .fixed_address = 0});
    users.Insert("carol",
                 {.password = SecretOf("secret"), .nt_hash = {}, .fixed_address = 0x0a4d000a});
    users_ = std::make_unique<LocalUsers>(std::move(users), &pools_, [] { return uint64_t{0}; });
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

  AddressPools pools_;
  std::unique_ptr<LocalUsers> users_;
};

TEST_F(LocalUsersTest, PapWithPasswordAndWithHash) {
  for (const char* user : {"alice", "bob", "DOMAIN\\alice"}) {
    AuthResult result = Ask(user, Pap("secret"));
    EXPECT_EQ(result.verdict, AuthVerdict::kAccept) << user;
    EXPECT_FALSE(result.keys.Has128());
    pools_.Release(result.client_address, 0);
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
    pools_.Release(result.client_address, 0);
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
    EXPECT_EQ(result.client_address, 0u);
    EXPECT_EQ(Ask(user, MsChapV2(user, "secret")).verdict, AuthVerdict::kReject);
  }
  EXPECT_EQ(pools_.usage()[0].in_use, 0u) << "nobody got an address";
}

TEST_F(LocalUsersTest, FixedAddressServesOneCall) {
  AuthResult first = Ask("carol", Pap("secret"));
  EXPECT_EQ(first.client_address, 0x0a4d000au);
  AuthResult second = Ask("carol", Pap("secret"));
  EXPECT_EQ(second.verdict, AuthVerdict::kAccept);
  EXPECT_EQ(second.client_address, 0u);
  EXPECT_THAT(second.no_address_reason, HasSubstr("10.77.0.10 is in use"));
  pools_.Release(first.client_address, 0);
  EXPECT_EQ(Ask("carol", Pap("secret")).client_address, 0x0a4d000au);
}

TEST_F(LocalUsersTest, EmptyPoolIsSaid) {
  EXPECT_EQ(Ask("alice", Pap("secret")).client_address, 0x0a4d000bu) << ".10 is carol's";
  AuthResult none = Ask("alice", Pap("secret"));
  EXPECT_EQ(none.verdict, AuthVerdict::kAccept);
  EXPECT_EQ(none.client_address, 0u);
  EXPECT_THAT(none.no_address_reason, HasSubstr("1 of 1 in use"));
}

}  // namespace
}  // namespace culvert
