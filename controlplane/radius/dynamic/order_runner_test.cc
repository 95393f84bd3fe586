#include "controlplane/radius/dynamic/order_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace culvert::radius {
namespace {

using management::v1::CallEvent;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

CallRecord Record(uint64_t id, const std::string& user) {
  CallRecord record;
  record.id = id;
  record.handle = id + 1000;
  record.user = user;
  record.peer_address = 0xc0000201;
  record.local_address = 0xc6336401;
  record.client_address = 0x0a4d0000 + static_cast<uint32_t>(id);
  return record;
}

class OrderRunnerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const auto& [id, user] : {std::pair(1, "alice"), {2, "bob"}, {3, "bob"}}) {
      directory_.Publish(CallEvent::UP, Record(static_cast<uint64_t>(id), user));
    }
  }
  static Order OrderFor(SessionKey session, bool disconnect) {
    session.empty = false;
    return {.disconnect = disconnect,
            .session = std::move(session),
            .change = {.upstream_bps = 64'000}};
  }
  void Run(SessionKey session, bool disconnect) {
    runner_.Run(OrderFor(std::move(session), disconnect), 1000,
                [this](std::optional<ErrorCause> refused) { answers_.push_back(refused); });
  }
  void End(uint64_t id) { directory_.Publish(CallEvent::DOWN, Record(id, "")); }

  CallDirectory directory_;
  std::vector<uint64_t> changed_, terminated_;
  CallChange change_;
  absl::StatusOr<CallRates> change_answer_ = CallRates{};
  std::vector<std::optional<ErrorCause>> answers_;
  OrderRunner runner_{&directory_,
                      [this](uint64_t id, const CallChange& change, const CallChanged& done) {
                        changed_.push_back(id);
                        change_ = change;
                        done(change_answer_);
                      },
                      [this](const std::vector<uint64_t>& ids, const std::string&) {
                        terminated_.insert(terminated_.end(), ids.begin(), ids.end());
                      }};
};

TEST_F(OrderRunnerTest, ChangesTheCallThatIsMeant) {
  Run({.user = "alice", .client_address = 0x0a4d0001}, false);
  EXPECT_THAT(changed_, ElementsAre(1));
  EXPECT_EQ(change_.upstream_bps, 64'000u);
  EXPECT_THAT(answers_, ElementsAre(std::nullopt));
}

TEST_F(OrderRunnerTest, EachKeyFindsIt) {
  for (const SessionKey& key :
       {SessionKey{.user = "alice"}, SessionKey{.id = 1}, SessionKey{.nas_port = 1001},
        SessionKey{.client_address = 0x0a4d0001},
        SessionKey{.user = "alice", .peer_address = 0xc0000201, .local_address = 0xc6336401}}) {
    changed_.clear();
    Run(key, false);
    EXPECT_THAT(changed_, ElementsAre(1));
  }
}

TEST_F(OrderRunnerTest, NobodyIsThere) {
  Run({.user = "carol"}, false);
  Run({.user = "alice", .client_address = 0x0a4d0002}, true);
  Run({.user = "alice", .nobody = true}, true);
  EXPECT_THAT(answers_, ElementsAre(ErrorCause::kSessionNotFound, ErrorCause::kSessionNotFound,
                                    ErrorCause::kSessionNotFound));
  EXPECT_THAT(changed_, IsEmpty());
  EXPECT_THAT(terminated_, IsEmpty());
}

TEST_F(OrderRunnerTest, SeveralAreNotChangedTogether) {
  Run({.user = "bob"}, false);
  EXPECT_THAT(changed_, IsEmpty());
  EXPECT_THAT(answers_, ElementsAre(ErrorCause::kSeveralSessions));
}

TEST_F(OrderRunnerTest, WhyAChangeFailed) {
  const std::pair<absl::Status, ErrorCause> cases[] = {
      {absl::NotFoundError("ended"), ErrorCause::kSessionNotFound},
      {absl::InvalidArgumentError("rate"), ErrorCause::kInvalidValue},
      {absl::UnavailableError("data plane"), ErrorCause::kResourcesUnavailable}};
  for (const auto& [status, cause] : cases) {
    change_answer_ = status;
    Run({.user = "alice"}, false);
    EXPECT_EQ(answers_.back(), cause);
  }
}

TEST_F(OrderRunnerTest, ADisconnectIsAnsweredWhenAllHaveGone) {
  Run({.user = "bob"}, true);
  EXPECT_THAT(terminated_, ElementsAre(2, 3));
  EXPECT_TRUE(runner_.OnTime(1020));
  End(2);
  EXPECT_TRUE(runner_.OnTime(1040));
  EXPECT_THAT(answers_, IsEmpty());
  End(3);
  EXPECT_FALSE(runner_.OnTime(1060));
  EXPECT_THAT(answers_, ElementsAre(std::nullopt));
}

TEST_F(OrderRunnerTest, ACallThatDoesNotEndIsNotRemovable) {
  Run({.user = "alice"}, true);
  EXPECT_TRUE(runner_.OnTime(1000 + OrderRunner::kDisconnectMs - 1));
  EXPECT_FALSE(runner_.OnTime(1000 + OrderRunner::kDisconnectMs));
  EXPECT_THAT(answers_, ElementsAre(ErrorCause::kSessionNotRemovable));
}

}  // namespace
}  // namespace culvert::radius
