#include "controlplane/aaa/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/aaa/auth_backends.h"

namespace culvert {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Backend knows the users whose names start with its letter; "?" takes a second round.
class Backend final : public Authenticator {
 public:
  explicit Backend(char letter) : letter_(letter) {}
  void Authenticate(AuthRequest request, AuthDone done) override {
    states.push_back(request.state);
    AuthResult result;
    result.user = std::string(1, letter_);
    result.unknown_user = request.user.empty() || request.user[0] != letter_;
    result.grants.fixed_address = address;
    result.grants.pool = pool;
    result.grants.max_sessions = max_sessions;
    result.grants.replace_sessions = replace;
    result.grants.allowed_sources = sources;
    if (!result.unknown_user) {
      const bool more = request.user.ends_with('?') && request.state.empty();
      result.verdict = more ? AuthVerdict::kChallenge : AuthVerdict::kAccept;
      result.state = {0xaa};
      result.reject_reason = more ? challenge_reason : "";
    }
    done(std::move(result));
  }
  std::vector<std::vector<uint8_t>> states;
  uint32_t address = 0;
  std::string pool;
  std::string challenge_reason;
  uint32_t max_sessions = 0;
  bool replace = false;
  std::vector<config::Ipv4Prefix> sources;

 private:
  const char letter_;
};

AuthResult Ask(Authenticator& authenticator, std::string user, std::vector<uint8_t> state = {},
               size_t listener = 0) {
  AuthRequest request;
  request.call.id = 1;
  request.call.listener = listener;
  request.call.peer_address = 0xc0000201;
  request.user = std::move(user);
  request.exchange = PapExchange{};
  request.state = std::move(state);
  std::optional<AuthResult> answer;
  authenticator.Authenticate(std::move(request), [&](AuthResult result) {
    EXPECT_FALSE(answer.has_value());
    answer = std::move(result);
  });
  EXPECT_TRUE(answer.has_value());
  return std::move(*answer);
}

TEST(AuthBackends, AsksUntilOneKnowsTheUser) {
  Backend a('a');
  Backend b('b');
  AuthBackends backends({&a, &b});
  EXPECT_EQ(Ask(backends, "anna").user, "a");
  EXPECT_TRUE(b.states.empty());
  EXPECT_EQ(Ask(backends, "bert").user, "b");
  const AuthResult nobody = Ask(backends, "carl");
  EXPECT_EQ(nobody.verdict, AuthVerdict::kReject);
  EXPECT_TRUE(nobody.unknown_user);
}

TEST(AuthBackends, LaterRoundsStayWithTheirBackend) {
  Backend a('a');
  Backend b('b');
  AuthBackends backends({&a, &b});
  const AuthResult challenge = Ask(backends, "bert?");
  ASSERT_EQ(challenge.verdict, AuthVerdict::kChallenge);
  EXPECT_THAT(challenge.state, ElementsAre(1, 0xaa));
  EXPECT_EQ(Ask(backends, "bert?", challenge.state).verdict, AuthVerdict::kAccept);
  EXPECT_EQ(a.states.size(), 1u);
  EXPECT_THAT(b.states.back(), ElementsAre(0xaa));
  EXPECT_EQ(Ask(backends, "bert?", {7}).verdict, AuthVerdict::kReject);
}

class AdmissionTest : public ::testing::Test {
 protected:
  AddressPools pools_{
      {{.name = "a", .ranges = {{.first = 0x0a4d000a, .last = 0x0a4d000a}}},
       {.name = "b", .ranges = {{.first = 0x0a4d0014, .last = 0x0a4d0014}}, .named_only = true}},
      0,
      [](uint32_t) { return 0u; }};
  Backend backend_{'a'};
  SessionLimits sessions_{1, false, [this](const std::vector<uint64_t>& calls) {
                            ended_.insert(ended_.end(), calls.begin(), calls.end());
                          }};
  LockOut lock_out_{{.max_failures = {2, 0, 0}, .window_ms = 10, .duration_ms = 10, .capacity = 8},
                    1};
  std::vector<uint64_t> ended_;
  std::vector<std::string> approvals_;
  bool approve_ = true;
  Admission admission_{{.backend = &backend_,
                        .pools = &pools_,
                        .lock_out = &lock_out_,
                        .sessions = &sessions_,
                        .clock = [] { return uint64_t{0}; },
                        .post = [](const CallFacts&, const std::function<void()>& work) { work(); },
                        .approve =
                            [this](const CallFacts&, const AuthResult& result,
                                   const std::function<void(bool)>& done) {
                              approvals_.push_back(result.user);
                              done(approve_);
                            }},
                       {.listener_pools = {"", "b"}}};
};

TEST_F(AdmissionTest, PoolAddressIsHeldUntilReleased) {
  const AuthResult first = Ask(admission_, "anna");
  EXPECT_EQ(first.lease.client_address, 0x0a4d000au);
  const AuthResult second = Ask(admission_, "anna");
  EXPECT_EQ(second.verdict, AuthVerdict::kAccept);
  EXPECT_EQ(second.lease.client_address, 0u);
  EXPECT_THAT(second.no_address_reason, HasSubstr("1 of 1 in use"));
  admission_.Release(second.lease);
  admission_.Release(first.lease);
  EXPECT_EQ(Ask(admission_, "anna").lease.client_address, 0x0a4d000au);
}

TEST_F(AdmissionTest, RejectedAndChallengedUsersHoldNothing) {
  EXPECT_EQ(Ask(admission_, "bert").lease.client_address, 0u);
  EXPECT_EQ(Ask(admission_, "anna?").lease.client_address, 0u);
  EXPECT_EQ(pools_.usage()[0].in_use, 0u);
}

TEST_F(AdmissionTest, PoolIsTheUsersOrTheListeners) {
  EXPECT_EQ(Ask(admission_, "anna", {}, 1).lease.client_address, 0x0a4d0014u);
  backend_.pool = "a";
  EXPECT_EQ(Ask(admission_, "anna", {}, 1).lease.client_address, 0x0a4d000au);
  backend_.pool = "c";
  EXPECT_THAT(Ask(admission_, "anna").no_address_reason, HasSubstr("no pool named \"c\""));
}

TEST_F(AdmissionTest, GuessersAreNotJudged) {
  EXPECT_EQ(Ask(admission_, "bert").reject_reason, "");
  EXPECT_EQ(Ask(admission_, "bert").reject_reason, "");
  EXPECT_EQ(Ask(admission_, "bert").reject_reason, "locked out");
  EXPECT_EQ(backend_.states.size(), 2u) << "the backend was asked for one that is locked out";
  EXPECT_EQ(Ask(admission_, "anna").verdict, AuthVerdict::kAccept);
}

TEST_F(AdmissionTest, GuessersWhoHangUpOnAFailureOfEapAreCounted) {
  for (int i = 0; i < 5; ++i) {  // these only go on
    EXPECT_EQ(Ask(admission_, "anna?").verdict, AuthVerdict::kChallenge);
  }
  backend_.challenge_reason = "wrong password";
  EXPECT_EQ(Ask(admission_, "anna?").verdict, AuthVerdict::kChallenge);
  EXPECT_EQ(Ask(admission_, "anna?").verdict, AuthVerdict::kChallenge);
  EXPECT_EQ(Ask(admission_, "anna?").reject_reason, "locked out");
}

TEST_F(AdmissionTest, UserDialsFromAllowedSourcesOnly) {
  backend_.sources = {{.address = 0xc0000200, .length = 24}};
  EXPECT_EQ(Ask(admission_, "anna").verdict, AuthVerdict::kAccept);
  backend_.sources = {{.address = 0xc0000300, .length = 24}};
  const AuthResult result = Ask(admission_, "anna");
  EXPECT_EQ(result.verdict, AuthVerdict::kReject);
  EXPECT_EQ(result.lease.client_address, 0u);
  EXPECT_FALSE(result.mschap_failure.has_value()) << "no more than a wrong password says";
}

TEST_F(AdmissionTest, OneSessionTooManyIsRefused) {
  backend_.max_sessions = 1;
  const AuthResult first = Ask(admission_, "anna");
  const AuthResult second = Ask(admission_, "anna");
  EXPECT_EQ(second.verdict, AuthVerdict::kReject);
  ASSERT_TRUE(second.mschap_failure.has_value());
  EXPECT_EQ(second.mschap_failure->code, 649u);
  EXPECT_TRUE(ended_.empty());
  admission_.Release(first.lease);
  EXPECT_EQ(Ask(admission_, "anna").verdict, AuthVerdict::kAccept);
}

TEST_F(AdmissionTest, NewSessionTakesOverAddressAndPlace) {
  backend_.max_sessions = 1;
  backend_.replace = true;
  backend_.address = 0x0a4d0063;
  const AuthResult first = Ask(admission_, "anna");
  AuthRequest request;
  request.user = "anna";
  request.call.id = 7;
  std::optional<AuthResult> second;
  admission_.Authenticate(std::move(request),
                          [&](AuthResult result) { second = std::move(result); });
  EXPECT_EQ(ended_.size(), 1u);
  EXPECT_FALSE(second.has_value()) << "the old one is still there";
  admission_.Release(first.lease);
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->verdict, AuthVerdict::kAccept);
  EXPECT_EQ(second->lease.client_address, 0x0a4d0063u);
}

TEST_F(AdmissionTest, HookMayObjectAndNothingIsHeld) {
  backend_.max_sessions = 1;
  approve_ = false;
  EXPECT_EQ(Ask(admission_, "anna").reject_reason, "refused by ip-pre-up");
  EXPECT_EQ(pools_.usage()[0].in_use, 0u);
  approve_ = true;
  EXPECT_EQ(Ask(admission_, "anna").verdict, AuthVerdict::kAccept);
  EXPECT_THAT(approvals_, ElementsAre("a", "a"));
}

TEST_F(AdmissionTest, FixedAddressIsInOneCallAtATime) {
  backend_.address = 0x0a4d0063;
  const AuthResult first = Ask(admission_, "anna");
  EXPECT_EQ(first.lease.client_address, 0x0a4d0063u);
  const AuthResult second = Ask(admission_, "anna");
  EXPECT_EQ(second.lease.client_address, 0u);
  EXPECT_THAT(second.no_address_reason, HasSubstr("10.77.0.99 is in use"));
  admission_.Release(first.lease);
  EXPECT_EQ(Ask(admission_, "anna").lease.client_address, 0x0a4d0063u);
}

}  // namespace
}  // namespace culvert
