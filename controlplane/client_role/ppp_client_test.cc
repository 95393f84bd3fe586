// The client against the server's own PppCall, frame by frame in memory.
#include "controlplane/client_role/ppp_client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>

#include "controlplane/aaa/local_users.h"
#include "controlplane/aaa/verify.h"
#include "controlplane/crypto/mppe_keys.h"
#include "controlplane/crypto/mschap.h"
#include "proto/wire/auth.h"

namespace culvert::client_role {
namespace {

constexpr uint32_t kAddress = 0x0a4d000a;

Secret HashOf(std::string_view password) {
  return *crypto::NtPasswordHash(
      {reinterpret_cast<const uint8_t*>(password.data()), password.size()});
}

Secret SecretOf(std::string_view text) {
  return Secret({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

Users Alice() {
  Users users;
  users.Insert("alice", {.password = SecretOf("secret"), .nt_hash = HashOf("secret")});
  users.Insert("dave", {.nt_hash = HashOf("old"), .expired = true});
  return users;
}

// Link joins a client to a server whose AAA knows alice with "secret", and dave with "old", which
// has expired.
class Link {
 public:
  explicit Link(std::string_view password, ppp::MppePolicy mppe = ppp::MppePolicy::kRequire,
                const Wishes& wishes = kUsualWishes)
      : wishes_(wishes) {
    auto server = std::make_shared<ppp::PppSettings>();
    server->gateway_address = 0x0a4d0001;
    server->mppe = mppe;
    server->mppe_stateful = true;
    server->methods = {wishes.method};
    server_ = std::make_unique<ppp::PppCall>(server, random_, &counters_, now_ms_);
    settings_.mppe = mppe;
    account_ = {.user = "alice", .nt_hash = HashOf(password), .password = SecretOf(password)};
    client_ = std::make_unique<PppClient>(&settings_, &account_, random_, &counters_, &wishes_);
  }
  void BeDave(std::string_view password, std::string_view new_password) {
    account_ = {.user = "dave",
                .nt_hash = HashOf(password),
                .password = SecretOf(password),
                .new_password = SecretOf(new_password)};
  }

  void Run() {
    server_->Start(now_ms_);
    client_->Start(now_ms_);
    for (int i = 0; i < 100; ++i) {
      for (const std::vector<uint8_t>& frame : client_->TakeFrames()) {
        server_->OnFrame(frame, now_ms_);
      }
      for (ppp::Effect& effect : server_->TakeEffects()) {
        std::visit([this](auto& typed) { On(typed); }, effect);
      }
    }
  }
  void On(ppp::SendFrame& effect) {
    if (forges_proof_ && effect.data.size() > 8 && effect.data[6] == 'S' && effect.data[7] == '=') {
      effect.data[8] ^= 1;
    }
    client_->OnFrame(effect.data, now_ms_);
    // CHAP's Challenge and EAP's Request.
    static_assert(int{wire::chap::kChallenge} == int{wire::eap::kRequest});
    if (repeats_challenges_ && effect.data.size() > 2 && effect.data[0] == 0xc2 &&
        (effect.data[1] == 0x23 || effect.data[1] == 0x27) &&
        effect.data[2] == wire::chap::kChallenge) {
      client_->OnFrame(effect.data, now_ms_);
    }
  }
  void On(ppp::Program& effect) { state_ = std::move(effect.state); }
  void On(ppp::Authenticate& effect) {
    users_.Authenticate(std::move(effect.request), [this](AuthResult result) {
      result.lease.client_address = kAddress;
      server_->OnAuthResult(std::move(result), now_ms_);
    });
  }
  void On(ppp::Up&) { server_up_ = true; }
  void On(ppp::Ended& effect) { ended_ = effect.reason; }
  template <typename T>
  void On(T&) {}

  uint64_t now_ms_ = 1000;
  uint8_t next_ = 1;
  ppp::Random random_ = [this](std::span<uint8_t> out) {
    std::generate(out.begin(), out.end(), [this] { return next_ = next_ * 5 + 7; });
  };
  ppp::PppCounters counters_;
  const Wishes wishes_;
  ppp::PppSettings settings_;
  PppClient::Account account_;
  LocalUsers users_{
      std::make_shared<const Users>(Alice()),
      LocalUserSettings{
          .eap = {.methods = {eap::Method::kMsChapV2, eap::Method::kMd5}, .server_name = "server"},
          .may_change_password = true},
      PasswordChangeParts{
          .write =
              [this](const PasswordEdit& edit,
                     const std::function<void(const absl::Status&)>& done) {
                Users changed;
                changed.Insert(edit.name, {.nt_hash = edit.nt_hash.Clone()});
                users_.Replace(std::make_shared<const Users>(std::move(changed)));
                done(absl::OkStatus());
              },
          .post = [](const CallFacts&, const std::function<void()>& work) { work(); }}};
  std::unique_ptr<ppp::PppCall> server_;
  std::unique_ptr<PppClient> client_;
  ppp::DataplaneState state_;
  bool server_up_ = false;
  bool repeats_challenges_ = false;
  bool forges_proof_ = false;  // the server does not know the password
  std::string ended_;
};

TEST(PppClient, ReachesTheServerWithTheSameKeys) {
  Link link("secret");
  link.Run();
  ASSERT_TRUE(link.client_->up()) << link.client_->failure();
  EXPECT_TRUE(link.server_up_);
  EXPECT_EQ(link.client_->address(), kAddress);
  ASSERT_TRUE(link.state_.receive && link.state_.send);
  EXPECT_TRUE(link.client_->keys().send_128.Equals(link.state_.receive->start_key.octets()));
  EXPECT_TRUE(link.client_->keys().receive_128.Equals(link.state_.send->start_key.octets()));
  EXPECT_EQ(link.client_->deadline_ms(), std::nullopt) << "nothing is left to be repeated";
}

// As from a server that is slow to judge the first Response.
TEST(PppClient, AnswersARepeatedChallengeAsBefore) {
  for (const AuthMethod method : {AuthMethod::kMsChapV2, AuthMethod::kEap}) {
    Link link("secret", ppp::MppePolicy::kRequire, {.method = method});
    link.repeats_challenges_ = true;
    link.Run();
    ASSERT_TRUE(link.client_->up()) << link.client_->failure();
    EXPECT_TRUE(link.client_->keys().send_128.Equals(link.state_.receive->start_key.octets()));
  }
}

TEST(PppClient, GoesWithoutMppeWhenItIsDenied) {
  Link link("secret", ppp::MppePolicy::kDeny);
  link.Run();
  EXPECT_TRUE(link.client_->up()) << link.client_->failure();
  EXPECT_FALSE(link.state_.send.has_value());
}

TEST(PppClient, KnowsEveryMethod) {
  const Wishes kWishes[] = {{.method = AuthMethod::kPap},
                            {.method = AuthMethod::kChapMd5},
                            {.method = AuthMethod::kMsChap},
                            {.method = AuthMethod::kMsChapV2},
                            {.method = AuthMethod::kEap, .eap_type = wire::eap::kMsChapV2},
                            {.method = AuthMethod::kEap, .eap_type = wire::eap::kMd5Challenge}};
  for (const Wishes& wishes : kWishes) {
    SCOPED_TRACE(static_cast<int>(wishes.method) * 100 + wishes.eap_type);
    Link right("secret", ppp::MppePolicy::kDeny, wishes);
    right.Run();
    EXPECT_TRUE(right.client_->up()) << right.client_->failure();
    EXPECT_EQ(right.client_->step(), PppClient::Step::kUp);
    Link wrong("wrong", ppp::MppePolicy::kDeny, wishes);
    wrong.Run();
    EXPECT_FALSE(wrong.client_->up());
    EXPECT_EQ(wrong.client_->failure(), "the server refuses the password");
  }
}

TEST(PppClient, AgreesOnEveryEncryption) {
  const uint32_t kLengths[] = {wire::ppp::ccp::k40Bit, wire::ppp::ccp::k56Bit,
                               wire::ppp::ccp::k128Bit};
  for (const AuthMethod method : {AuthMethod::kMsChap, AuthMethod::kMsChapV2, AuthMethod::kEap}) {
    for (const uint32_t length : kLengths) {
      for (const bool stateful : {false, true}) {
        SCOPED_TRACE(length);
        Link link("secret", ppp::MppePolicy::kRequire,
                  {.method = method, .mppe = length, .stateful = stateful});
        link.Run();
        ASSERT_TRUE(link.client_->up()) << link.client_->failure();
        const PppClient::Encryption agreed = link.client_->encryption();
        EXPECT_EQ(agreed.epoch, 1u);
        ASSERT_TRUE(link.state_.receive && link.state_.send);
        EXPECT_EQ(agreed.send_bits, link.state_.receive->bits);
        EXPECT_EQ(agreed.receive_bits, link.state_.send->bits);
        EXPECT_EQ(agreed.send_stateful, stateful);
        EXPECT_EQ(agreed.receive_stateful, stateful);
        const MppeStartKeys& keys = link.client_->keys();
        EXPECT_TRUE((agreed.send_bits == 128 ? keys.send_128 : keys.send_40_56)
                        .Equals(link.state_.receive->start_key.octets()));
      }
    }
  }
}

TEST(PppClient, WrongPasswordIsToldByTheServer) {
  Link link("wrong");
  link.Run();
  EXPECT_FALSE(link.client_->up());
  EXPECT_NE(link.client_->failure(), "");
}

TEST(PppClient, ChangesAnExpiredPassword) {
  for (const AuthMethod method : {AuthMethod::kMsChapV2, AuthMethod::kEap}) {
    SCOPED_TRACE(static_cast<int>(method));
    Link link("", ppp::MppePolicy::kRequire, {.method = method});
    link.BeDave("old", "new \xe2\x82\xac");
    link.Run();
    ASSERT_TRUE(link.client_->up()) << link.client_->failure();
    EXPECT_TRUE(link.server_up_);
    ASSERT_TRUE(link.state_.receive && link.state_.send);
    EXPECT_TRUE(link.client_->keys().send_128.Equals(link.state_.receive->start_key.octets()));
    EXPECT_TRUE(NtHashOf(*link.users_.users()->Find("dave").user)
                    .Equals(HashOf("new \xe2\x82\xac").octets()));
    EXPECT_FALSE(link.users_.users()->Find("dave").user->expired);
  }
}

TEST(PppClient, ChangesNoPasswordThatItCannot) {
  for (const AuthMethod method : {AuthMethod::kMsChapV2, AuthMethod::kEap}) {
    SCOPED_TRACE(static_cast<int>(method));
    for (const auto& [password, new_password] :
         {std::pair{"old", ""}, {"old", "old"}, {"guess", "new"}}) {
      Link link("", ppp::MppePolicy::kRequire, {.method = method});
      link.BeDave(password, new_password);
      link.Run();
      EXPECT_FALSE(link.client_->up());
      EXPECT_EQ(link.client_->failure(), "the server refuses the password");
      EXPECT_TRUE(link.users_.users()->Find("dave").user->expired);
    }
  }
}

// RFC 2759 s5: a client hangs up on a server that cannot prove that it knows the password.
TEST(PppClient, WrongProofMakesTheClientHangUp) {
  Link link("secret");
  link.forges_proof_ = true;
  link.Run();
  EXPECT_FALSE(link.client_->up());
  EXPECT_EQ(link.client_->failure(), "the server does not know the password");
  EXPECT_FALSE(link.server_up_);
}

TEST(PppClient, RepeatsWhatIsLost) {
  Link link("secret");
  link.client_->Start(link.now_ms_);
  EXPECT_EQ(link.client_->TakeFrames().size(), 1u);  // lost
  ASSERT_TRUE(link.client_->deadline_ms().has_value());
  link.now_ms_ = *link.client_->deadline_ms();
  link.client_->OnTimer(link.now_ms_);
  EXPECT_EQ(link.client_->TakeFrames().size(), 1u);
}

TEST(PppClient, HangsUpThroughLcp) {
  Link link("secret");
  link.Run();
  link.client_->HangUp(link.now_ms_);
  for (const std::vector<uint8_t>& frame : link.client_->TakeFrames()) {
    link.server_->OnFrame(frame, link.now_ms_);
  }
  for (ppp::Effect& effect : link.server_->TakeEffects()) {
    std::visit([&link](auto& typed) { link.On(typed); }, effect);
  }
  EXPECT_NE(link.client_->failure(), "");
}

}  // namespace
}  // namespace culvert::client_role
