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
    if (!result.unknown_user) {
      const bool more = request.user.ends_with('?') && request.state.empty();
      result.verdict = more ? AuthVerdict::kChallenge : AuthVerdict::kAccept;
      result.state = {0xaa};
    }
    done(std::move(result));
  }
  std::vector<std::vector<uint8_t>> states;
  uint32_t address = 0;

 private:
  const char letter_;
};

AuthResult Ask(Authenticator& authenticator, std::string user, std::vector<uint8_t> state = {}) {
  AuthRequest request;
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
  AddressPools pools_{{{.name = "a", .ranges = {{.first = 0x0a4d000a, .last = 0x0a4d000a}}}},
                      0,
                      [](uint32_t) { return 0u; }};
  Backend backend_{'a'};
  Admission admission_{&backend_, &pools_, [] { return uint64_t{0}; }};
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
