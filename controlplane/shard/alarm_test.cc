#include "controlplane/shard/alarm.h"

#include <gtest/gtest.h>

namespace culvert {
namespace {

class AlarmTest : public ::testing::Test {
 protected:
  void Run(int ms) {
    loop_.restart();
    loop_.run_for(std::chrono::milliseconds(ms));
  }

  asio::io_context loop_;
  int rings_ = 0;
};

TEST_F(AlarmTest, RingsOnceAndCanBeSetAgain) {
  Alarm alarm(loop_, [this] { ++rings_; });
  alarm.Set(std::nullopt);
  for (int i = 1; i <= 3; ++i) {
    alarm.Set(SteadyMs() + 5);
    Run(100);
    EXPECT_EQ(rings_, i);
  }
}

TEST_F(AlarmTest, MovesBothWays) {
  Alarm alarm(loop_, [this] { ++rings_; });
  alarm.Set(SteadyMs() + 5);
  alarm.Set(SteadyMs() + 60'000);
  Run(50);
  EXPECT_EQ(rings_, 0);
  alarm.Set(SteadyMs() + 5);
  Run(100);
  EXPECT_EQ(rings_, 1);
}

TEST_F(AlarmTest, CanBeTakenBackAndSetOnceMore) {
  Alarm alarm(loop_, [this] { ++rings_; });
  alarm.Set(SteadyMs() + 20);
  alarm.Set(std::nullopt);
  alarm.Set(SteadyMs() + 5);
  alarm.Set(std::nullopt);
  Run(100);
  EXPECT_EQ(rings_, 0);
  alarm.Set(SteadyMs());
  Run(50);
  EXPECT_EQ(rings_, 1);
}

TEST_F(AlarmTest, MaySetItselfWhileItRings) {
  Alarm* self = nullptr;
  Alarm alarm(loop_, [&] {
    if (++rings_ < 3) {
      self->Set(SteadyMs() + 2);
    }
  });
  self = &alarm;
  alarm.Set(SteadyMs());
  Run(100);
  EXPECT_EQ(rings_, 3);
}

TEST_F(AlarmTest, MayGoWhileItRings) {
  auto alarm = std::unique_ptr<Alarm>();
  alarm = std::make_unique<Alarm>(loop_, [&] {
    ++rings_;
    alarm.reset();
    ++rings_;
  });
  alarm->Set(SteadyMs());
  Run(50);
  EXPECT_EQ(rings_, 2);
}

TEST_F(AlarmTest, NeverRingsAfterItHasGone) {
  auto alarm = std::make_unique<Alarm>(loop_, [this] { ++rings_; });
  alarm->Set(SteadyMs());
  alarm.reset();
  Run(50);
  EXPECT_EQ(rings_, 0);
}

}  // namespace
}  // namespace culvert
