#include "tools/load/fleet/wheel.h"

#include <gtest/gtest.h>

namespace culvert::load {
namespace {

TEST(Wheel, FiresEachTimerOnceAndInTime) {
  Wheel wheel(1000);
  std::vector<uint64_t> fired;
  for (const uint64_t due_ms : {1001, 1001, 1500, 9192, 9193, 61000, 999}) {
    wheel.Add({.due_ms = due_ms, .index = 7, .kind = 3});
  }
  uint64_t now_ms = 1000;
  const auto fire = [&](const Wheel::Timer& timer) {
    EXPECT_LE(timer.due_ms, now_ms);
    EXPECT_EQ(timer.index, 7u);
    EXPECT_EQ(timer.kind, 3);
    fired.push_back(timer.due_ms);
  };
  wheel.Advance(now_ms, fire);
  EXPECT_TRUE(fired.empty());
  now_ms = 1001;
  wheel.Advance(now_ms, fire);
  EXPECT_EQ(fired, (std::vector<uint64_t>{1001, 1001, 999})) << "what is over fires next";
  for (; now_ms < 70000; now_ms += 777) {
    wheel.Advance(now_ms, fire);
  }
  EXPECT_EQ(fired, (std::vector<uint64_t>{1001, 1001, 999, 1500, 9192, 9193, 61000}));
}

TEST(Wheel, TakesTimersWhileItFires) {
  Wheel wheel(0);
  int num = 0;
  wheel.Add({.due_ms = 1});
  for (uint64_t now_ms = 0; now_ms < 100; now_ms += 10) {
    wheel.Advance(now_ms, [&](const Wheel::Timer& timer) {
      ++num;
      wheel.Add({.due_ms = timer.due_ms + 1});
    });
  }
  EXPECT_EQ(num, 90);
}

}  // namespace
}  // namespace culvert::load
