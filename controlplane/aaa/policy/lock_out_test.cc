#include "controlplane/aaa/policy/lock_out.h"

#include <gtest/gtest.h>

#include <string>

namespace culvert {
namespace {

constexpr uint32_t kHome = 0xc0000201, kAway = 0xc6336401;

LockOut Make(uint32_t pair, uint32_t source, uint32_t user, size_t capacity = 1024) {
  return LockOut({.max_failures = {pair, source, user},
                  .window_ms = 1000,
                  .duration_ms = 500,
                  .capacity = capacity},
                 1);
}
void Fail(LockOut& lock_out, std::string_view user, uint32_t source, int times, uint64_t now = 0) {
  for (int i = 0; i < times; ++i) {
    lock_out.OnFailure(user, source, now);
  }
}

TEST(LockOut, UserFromOneAddressIsLockedForAWhile) {
  LockOut lock_out = Make(3, 0, 0);
  Fail(lock_out, "alice", kAway, 2);
  EXPECT_FALSE(lock_out.Locked("alice", kAway, 1));
  Fail(lock_out, "alice", kAway, 1, 10);
  EXPECT_TRUE(lock_out.Locked("alice", kAway, 11));
  EXPECT_TRUE(lock_out.Locked("CORP\\Alice", kAway, 11)) << "the same user";
  EXPECT_FALSE(lock_out.Locked("alice", kHome, 11));
  EXPECT_FALSE(lock_out.Locked("bob", kAway, 11));
  EXPECT_FALSE(lock_out.Locked("alice", kAway, 510)) << "it ends by itself";
  EXPECT_EQ(lock_out.counters(11).locks[0], 1u);
  EXPECT_EQ(lock_out.counters(11).refused[0], 2u);
  EXPECT_EQ(lock_out.counters(11).locked[0], 1u);
  EXPECT_EQ(lock_out.counters(510).locked[0], 0u);
}

TEST(LockOut, FailuresAreForgottenWithTheWindowAndWithSuccess) {
  LockOut lock_out = Make(3, 0, 0);
  Fail(lock_out, "alice", kAway, 2);
  Fail(lock_out, "alice", kAway, 2, 1000);
  EXPECT_FALSE(lock_out.Locked("alice", kAway, 1001));
  lock_out.OnSuccess("alice", kAway, 1001);
  Fail(lock_out, "alice", kAway, 2, 1002);
  EXPECT_FALSE(lock_out.Locked("alice", kAway, 1003));
}

TEST(LockOut, SourceIsLockedWhateverNamesItTries) {
  LockOut lock_out = Make(0, 20, 0);
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(lock_out.Locked(std::to_string(i), kAway, 0));
    lock_out.OnFailure(std::to_string(i), kAway, 0);
    lock_out.OnSuccess("mallory", kAway, 0);  // an account of its own does not help
  }
  EXPECT_TRUE(lock_out.Locked("alice", kAway, 1));
  EXPECT_FALSE(lock_out.Locked("alice", kHome, 1));
}

TEST(LockOut, NobodyIsLockedOutOfTheAddressHeCameFromBefore) {
  LockOut lock_out = Make(5, 0, 10);
  lock_out.OnSuccess("alice", kHome, 0);
  for (uint32_t i = 0; i < 10; ++i) {
    lock_out.OnFailure("alice", kAway + i, 1);  // guesses from all over the world
  }
  EXPECT_TRUE(lock_out.Locked("alice", kAway + 99, 2));
  EXPECT_FALSE(lock_out.Locked("alice", kHome, 2));
  Fail(lock_out, "alice", kHome, 5, 3);
  EXPECT_TRUE(lock_out.Locked("alice", kHome, 4)) << "but its own failures count";
}

TEST(LockOut, FloodOfNamesNeitherUnlocksNorGrows) {
  LockOut lock_out = Make(3, 0, 3, 4096);
  Fail(lock_out, "alice", kAway, 3);
  ASSERT_TRUE(lock_out.Locked("alice", kAway, 1));
  for (int i = 0; i < 200000; ++i) {
    lock_out.OnFailure(std::to_string(i), kAway + static_cast<uint32_t>(i), 1);
  }
  EXPECT_TRUE(lock_out.Locked("alice", kAway, 2));
  EXPECT_LT(lock_out.counters(2).locked[0], 4097u);
}

}  // namespace
}  // namespace culvert
