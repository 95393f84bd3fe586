#include "tools/load/monkey/monkey.h"

#include <gtest/gtest.h>

#include <set>

#include "tools/load/tunnel/faults.h"

namespace culvert::load {
namespace {

bool Same(const Monkey::Step& a, const Monkey::Step& b) {
  return a.after_us == b.after_us && a.trick == b.trick && a.call == b.call && a.random == b.random;
}

TEST(Monkey, TheSeedReplaysAllTricks) {
  Monkey one(7, 20), again(7, 20), other(8, 20);
  int num_same = 0;
  for (int i = 0; i < 1000; ++i) {
    const Monkey::Step step = one.Next();
    ASSERT_TRUE(Same(step, again.Next())) << i;
    num_same += Same(step, other.Next()) ? 1 : 0;
  }
  EXPECT_EQ(num_same, 0);
}

TEST(Monkey, PlaysAllTricksAtItsRate) {
  Monkey monkey(1, 20);
  std::set<Fleet::Trick> seen;
  Monkey::Step last;
  for (int i = 0; i < 2000; ++i) {
    const Monkey::Step step = monkey.Next();
    EXPECT_GE(step.after_us, last.after_us);
    seen.insert(step.trick);
    last = step;
  }
  EXPECT_EQ(seen.size(), Fleet::kNumTricks);
  EXPECT_NEAR(static_cast<double>(last.after_us), 100e6, 5e6) << "20 a second";
}

TEST(Faults, EachFateHasItsShare) {
  Faults faults(3, 5);
  int counts[4] = {};
  for (int i = 0; i < 100'000; ++i) {
    ++counts[static_cast<int>(faults.Next())];
  }
  EXPECT_NEAR(counts[static_cast<int>(Faults::Fate::kPass)], 85'000, 1000);
  EXPECT_NEAR(counts[static_cast<int>(Faults::Fate::kLose)], 5'000, 400);
  EXPECT_NEAR(counts[static_cast<int>(Faults::Fate::kDuplicate)], 5'000, 400);
  EXPECT_NEAR(counts[static_cast<int>(Faults::Fate::kSwap)], 5'000, 400);
}

}  // namespace
}  // namespace culvert::load
