#include "controlplane/drain/drain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace culvert {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DrainTest : public ::testing::Test {
 protected:
  uint64_t now_ms_ = 1000;
  std::vector<uint64_t> calls_ = {1, 2};
  std::vector<uint64_t> ended_;
  Drain drain_{[this] { return now_ms_; }, [this] { return calls_; },
               [this](const std::vector<uint64_t>& ids) { ended_ = ids; }};
};

TEST_F(DrainTest, WithoutDeadlineNobodyIsEnded) {
  EXPECT_FALSE(drain_.active());
  drain_.Start(std::nullopt);
  EXPECT_TRUE(drain_.active());
  now_ms_ += 1'000'000;
  drain_.Poll();
  EXPECT_THAT(ended_, IsEmpty());
  const Drain::Status status = drain_.status();
  EXPECT_EQ(status.num_calls, 2u);
  EXPECT_EQ(status.since_ms, 1'000'000u);
  EXPECT_FALSE(status.left_ms.has_value());
}

TEST_F(DrainTest, WhatIsLeftAtTheDeadlineIsEndedUntilItHasGone) {
  drain_.Start(500);
  drain_.Poll();
  EXPECT_THAT(ended_, IsEmpty());
  EXPECT_EQ(drain_.status().left_ms, 500u);
  now_ms_ += 500;
  drain_.Poll();
  EXPECT_THAT(ended_, ElementsAre(1, 2));
  EXPECT_TRUE(drain_.status().ending);
  calls_ = {2};
  drain_.Poll();
  EXPECT_THAT(ended_, ElementsAre(2));
}

TEST_F(DrainTest, CancelTakesCallsAgainAndForgetsTheDeadline) {
  drain_.Start(500);
  drain_.OnRefused();
  drain_.Cancel();
  EXPECT_FALSE(drain_.active());
  now_ms_ += 500;
  drain_.Poll();
  EXPECT_THAT(ended_, IsEmpty());
  EXPECT_EQ(drain_.status().num_refused, 1u);
}

TEST_F(DrainTest, SecondStartReplacesTheDeadline) {
  drain_.Start(500);
  now_ms_ += 100;
  drain_.Start(1000);
  EXPECT_EQ(drain_.status().left_ms, 1000u);
  EXPECT_EQ(drain_.status().since_ms, 100u);
  drain_.Start(std::nullopt);
  EXPECT_FALSE(drain_.status().left_ms.has_value());
}

}  // namespace
}  // namespace culvert
