#include "controlplane/aaa/pools/resting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace culvert {
namespace {

using ::testing::ElementsAre;

std::vector<int> Woken(Resting<int>& resting, uint64_t now_ms) {
  std::vector<int> woken;
  resting.Wake(now_ms, [&](int key) { woken.push_back(key); });
  return woken;
}
bool Any(int) { return true; }

TEST(Resting, WakesInOrder) {
  Resting<int> resting;
  resting.Add(1, 10);
  resting.Add(2, 20);
  resting.Add(3, 30);
  EXPECT_TRUE(resting.Remove(2));
  EXPECT_FALSE(resting.Remove(2));
  EXPECT_EQ(resting.size(), 2u);
  EXPECT_THAT(Woken(resting, 9), ElementsAre());
  EXPECT_THAT(Woken(resting, 30), ElementsAre(1, 3));
  EXPECT_FALSE(resting.Contains(1));
}

TEST(Resting, TheOldestThatFits) {
  Resting<int> resting;
  for (int i = 1; i <= 5; ++i) {
    resting.Add(i, 100);
  }
  EXPECT_EQ(resting.TakeOldest(5, [](int key) { return key > 3; }), 4);
  EXPECT_EQ(resting.TakeOldest(2, [](int key) { return key > 3; }), std::nullopt);
  EXPECT_EQ(resting.TakeOldest(5, Any), 1);
  resting.Add(1, 200);
  std::vector<int> left;
  resting.ForEach([&](int key, uint64_t) { left.push_back(key); });
  EXPECT_THAT(left, ElementsAre(2, 3, 5, 1));
}

TEST(Resting, ComingAndGoingLeavesNothingBehind) {
  Resting<int> resting;
  for (uint64_t i = 0; i < 100'000; ++i) {
    resting.Add(7, 1'000'000 + i);
    EXPECT_TRUE(resting.Remove(7));
  }
  int seen = 0;
  resting.ForEach([&](int, uint64_t) { ++seen; });
  EXPECT_EQ(seen, 0);
  EXPECT_EQ(resting.TakeOldest(1, Any), std::nullopt);
}

}  // namespace
}  // namespace culvert
