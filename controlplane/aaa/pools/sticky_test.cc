#include "controlplane/aaa/pools/sticky.h"

#include <gtest/gtest.h>

#include <string>

namespace culvert {
namespace {

TEST(Sticky, RecallsTheLastAddress) {
  Sticky<uint32_t> sticky(100, 1);
  EXPECT_EQ(sticky.Recall("alice"), std::nullopt);
  sticky.Remember("alice", 7);
  sticky.Remember("alice", 8);
  EXPECT_EQ(sticky.Recall("alice"), 8u);
  EXPECT_EQ(sticky.Recall("Alice"), std::nullopt);
}

TEST(Sticky, WithoutRoomItRemembersNobody) {
  Sticky<uint32_t> sticky(0, 1);
  sticky.Remember("alice", 7);
  EXPECT_EQ(sticky.Recall("alice"), std::nullopt);
}

TEST(Sticky, FloodForgetsTheOldestOnly) {
  constexpr int kUsers = 4000;
  Sticky<uint32_t> sticky(kUsers, 1);
  for (int i = 0; i < 20 * kUsers; ++i) {
    sticky.Remember(std::to_string(i), static_cast<uint32_t>(i));
  }
  int recent = 0;
  for (int i = 20 * kUsers - kUsers / 4; i < 20 * kUsers; ++i) {
    recent += sticky.Recall(std::to_string(i)) == static_cast<uint32_t>(i) ? 1 : 0;
  }
  EXPECT_GT(recent, kUsers / 4 * 95 / 100);
  EXPECT_EQ(sticky.Recall("5"), std::nullopt);
}

}  // namespace
}  // namespace culvert
