// Expired passwords of local users, and their change by MS-CHAPv2 (RFC 2759 s7).
#include <gtest/gtest.h>

#include "controlplane/aaa/local_users.h"
#include "controlplane/crypto/mppe_keys.h"
#include "controlplane/crypto/password_change.h"

namespace culvert {
namespace {

Secret SecretOf(std::string_view text) {
  return Secret({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}
Secret HashOf(std::string_view password) {
  return *crypto::NtPasswordHash(SecretOf(password).octets());
}

MsChapV2ChangeExchange ChangeTo(std::string_view user, std::string_view old_password,
                                std::string_view password) {
  MsChapV2ChangeExchange exchange;
  exchange.challenge.fill(0x11);
  exchange.peer_challenge.fill(0x22);
  const Secret old_hash = HashOf(old_password);
  const Secret hash = HashOf(password);
  EXPECT_TRUE(crypto::EncryptPasswordBlock(SecretOf(password).octets(), crypto::SpanOf16(old_hash),
                                           exchange.encrypted_password)
                  .has_value());
  exchange.encrypted_hash = crypto::EncryptHash(crypto::SpanOf16(old_hash), crypto::SpanOf16(hash));
  exchange.nt_response = crypto::GenerateNtResponse(exchange.challenge, exchange.peer_challenge,
                                                    user, crypto::SpanOf16(hash));
  return exchange;
}
MsChapV2Exchange Response(std::string_view user, std::string_view password) {
  MsChapV2Exchange exchange;
  const Secret hash = HashOf(password);
  exchange.nt_response = crypto::GenerateNtResponse(exchange.challenge, exchange.peer_challenge,
                                                    user, crypto::SpanOf16(hash));
  return exchange;
}

class LocalUsersChange : public ::testing::Test {
 protected:
  LocalUsersChange() {
    Users users;
    User alice{.password = SecretOf("old"), .expired = true};
    alice.edit_grants().fixed_address = 0x0a4d000a;
    users.Insert("alice", std::move(alice));
    users.Insert("bob", {.password = SecretOf("old")});
    users.Insert("carol", {.nt_hash = HashOf("old"), .expired = true});
    users_ = std::make_unique<LocalUsers>(
        std::make_shared<const Users>(std::move(users)),
        LocalUserSettings{.may_change_password = true},
        PasswordChangeParts{
            .write =
                [this](PasswordEdit edit, std::function<void(const absl::Status&)> done) {
                  edits_.push_back(std::move(edit));
                  waiting_ = std::move(done);
                },
            .post =
                [this](const CallFacts&, const std::function<void()>& work) {
                  ++num_posted_;
                  work();
                }});
  }
  template <typename Exchange>
  void Ask(std::string user, Exchange exchange) {
    AuthRequest request;
    request.user = std::move(user);
    request.exchange = std::move(exchange);
    answer_.reset();
    users_->Authenticate(std::move(request),
                         [this](AuthResult result) { answer_ = std::move(result); });
  }
  uint32_t ErrorOf() const { return answer_->mschap_failure ? answer_->mschap_failure->code : 691; }

  std::unique_ptr<LocalUsers> users_;
  std::vector<PasswordEdit> edits_;
  std::function<void(const absl::Status&)> waiting_;
  int num_posted_ = 0;
  std::optional<AuthResult> answer_;
};

TEST_F(LocalUsersChange, ExpiredOnesAreToldWhenTheirPasswordIsRight) {
  Ask("alice", Response("alice", "old"));
  EXPECT_EQ(answer_->verdict, AuthVerdict::kReject);
  EXPECT_EQ(ErrorOf(), 648u);
  EXPECT_FALSE(answer_->mschap_failure->retry);
  EXPECT_TRUE(answer_->unjudged) << "no lock-out for it";
  EXPECT_FALSE(answer_->keys.Has128());
  Ask("alice", Response("alice", "wrong"));
  EXPECT_EQ(ErrorOf(), 691u) << "strangers do not learn it";
  EXPECT_FALSE(answer_->unjudged);
  Ask("alice", PapExchange{.password = SecretOf("old")});
  EXPECT_EQ(answer_->verdict, AuthVerdict::kReject);
}

TEST_F(LocalUsersChange, NewPasswordIsWrittenBeforeTheClientIsLetIn) {
  const MsChapV2ChangeExchange change = ChangeTo("CORP\\alice", "old", "new \xe2\x82\xac");
  Ask("CORP\\alice", change);
  EXPECT_FALSE(answer_.has_value()) << "the file is not written yet";
  ASSERT_EQ(edits_.size(), 1u);
  EXPECT_EQ(edits_[0].name, "alice");
  EXPECT_TRUE(edits_[0].password.Equals(SecretOf("new \xe2\x82\xac").octets()));
  EXPECT_TRUE(edits_[0].old_nt_hash.Equals(HashOf("old").octets()));
  waiting_(absl::OkStatus());
  ASSERT_TRUE(answer_.has_value());
  EXPECT_EQ(num_posted_, 1);
  EXPECT_EQ(answer_->verdict, AuthVerdict::kAccept);
  EXPECT_EQ(answer_->grants.fixed_address, 0x0a4d000au);
  const Secret hash = HashOf("new \xe2\x82\xac");
  EXPECT_EQ(answer_->authenticator_response,
            crypto::AuthenticatorResponse(crypto::SpanOf16(hash), change.nt_response,
                                          change.peer_challenge, change.challenge, "alice"));
  const MppeStartKeys keys = crypto::MsChapV2StartKeys(crypto::SpanOf16(hash), change.nt_response,
                                                       crypto::MppeSide::kClient);
  EXPECT_TRUE(answer_->keys.send_128.Equals(keys.receive_128.octets())) << "of the new password";
}

TEST_F(LocalUsersChange, OfAHashToo) {
  Ask("carol", ChangeTo("carol", "old", "new"));
  ASSERT_EQ(edits_.size(), 1u);
  EXPECT_TRUE(edits_[0].nt_hash.Equals(HashOf("new").octets()));
}

TEST_F(LocalUsersChange, WhatCannotBeWrittenLetsNobodyIn) {
  Ask("alice", ChangeTo("alice", "old", "new"));
  waiting_(absl::UnavailableError("a full disk"));
  EXPECT_EQ(answer_->verdict, AuthVerdict::kReject);
  EXPECT_EQ(ErrorOf(), 709u);
  EXPECT_EQ(answer_->user, "alice");
  EXPECT_FALSE(answer_->keys.Has128());
  EXPECT_EQ(answer_->grants.fixed_address, 0u);
}

TEST_F(LocalUsersChange, WhoDoesNotKnowTheOldPassword) {
  Ask("alice", ChangeTo("alice", "guess", "new"));
  EXPECT_EQ(ErrorOf(), 691u);
  EXPECT_FALSE(answer_->unjudged);
  MsChapV2ChangeExchange change = ChangeTo("alice", "old", "new");
  change.nt_response[0] ^= 1;
  Ask("alice", change);
  EXPECT_EQ(ErrorOf(), 691u);
  Ask("mallory", ChangeTo("mallory", "old", "new"));
  EXPECT_TRUE(answer_->unknown_user);
  EXPECT_TRUE(edits_.empty());
}

TEST_F(LocalUsersChange, WhatMayNotBe) {
  Ask("bob", ChangeTo("bob", "old", "new"));
  EXPECT_EQ(ErrorOf(), 709u) << "bob's has not expired";
  Ask("alice", ChangeTo("alice", "old", "old"));
  EXPECT_EQ(ErrorOf(), 709u);
  Ask("alice", ChangeTo("alice", "old", ""));
  EXPECT_EQ(ErrorOf(), 709u);
  EXPECT_TRUE(answer_->unjudged);
  users_->Reconfigure({.may_change_password = false});
  Ask("alice", ChangeTo("alice", "old", "new"));
  EXPECT_EQ(ErrorOf(), 709u);
  Ask("alice", Response("alice", "old"));
  EXPECT_EQ(ErrorOf(), 648u);
  EXPECT_TRUE(edits_.empty());
}

}  // namespace
}  // namespace culvert
