#include "controlplane/pptp/source_limits.h"

#include <gtest/gtest.h>

namespace culvert::pptp {
namespace {

using Verdict = SourceLimits::Verdict;

constexpr uint32_t kAlice = 0xc0000201, kBob = 0xc0000202, kCarol = 0xc0000301;
constexpr uint64_t kNow = 1'000'000;

TEST(SourceLimits, ConnectionsOfEachSource) {
  SourceLimits limits({.max_connections = 2});
  EXPECT_EQ(limits.Connect(kAlice), Verdict::kAdmit);
  EXPECT_EQ(limits.Connect(kAlice), Verdict::kAdmit);
  EXPECT_EQ(limits.Connect(kAlice), Verdict::kTooManyConnections);
  EXPECT_EQ(limits.Connect(kBob), Verdict::kAdmit) << "another source";
  limits.Disconnect(kAlice, /*half_open=*/true, kNow);
  EXPECT_EQ(limits.Connect(kAlice), Verdict::kAdmit);
  EXPECT_EQ(limits.Connect(kAlice), Verdict::kTooManyConnections) << "what was refused is not kept";
}

TEST(SourceLimits, HalfOpenConnectionsOfEachSource) {
  SourceLimits limits({.max_half_open = 1});
  EXPECT_EQ(limits.Connect(kAlice), Verdict::kAdmit);
  EXPECT_EQ(limits.Connect(kAlice), Verdict::kTooManyHalfOpen);
  limits.Start(kAlice);
  EXPECT_EQ(limits.Connect(kAlice), Verdict::kAdmit);
  EXPECT_EQ(limits.Connect(kAlice), Verdict::kTooManyHalfOpen);
  limits.Disconnect(kAlice, /*half_open=*/false, kNow);
  EXPECT_EQ(limits.Connect(kAlice), Verdict::kTooManyHalfOpen) << "the other one is half-open";
  limits.Disconnect(kAlice, /*half_open=*/true, kNow);
  EXPECT_EQ(limits.Connect(kAlice), Verdict::kAdmit);
}

TEST(SourceLimits, ConnectionsOfAllSources) {
  SourceLimits limits({.max_connections = 2, .max_total = 3});
  EXPECT_EQ(limits.Connect(kAlice), Verdict::kAdmit);
  EXPECT_EQ(limits.Connect(kAlice), Verdict::kAdmit);
  EXPECT_EQ(limits.Connect(kAlice), Verdict::kTooManyConnections);
  EXPECT_EQ(limits.Connect(kBob), Verdict::kAdmit) << "what was refused is not counted";
  EXPECT_EQ(limits.Connect(kCarol), Verdict::kTooMany);
  limits.Disconnect(kAlice, /*half_open=*/true, kNow);
  EXPECT_EQ(limits.Connect(kCarol), Verdict::kAdmit);
  EXPECT_EQ(limits.Connect(kAlice), Verdict::kTooMany);
}

TEST(SourceLimits, APrefixIsOneSource) {
  SourceLimits limits({.prefix_len = 24, .max_connections = 1});
  EXPECT_EQ(limits.Connect(kAlice), Verdict::kAdmit);
  EXPECT_EQ(limits.Connect(kBob), Verdict::kTooManyConnections);
  EXPECT_EQ(limits.Connect(kCarol), Verdict::kAdmit);
}

TEST(SourceLimits, CallsASecondWithABurst) {
  SourceLimits limits({.calls_per_s = 10, .call_burst = 3});
  ASSERT_EQ(limits.Connect(kAlice), Verdict::kAdmit);
  ASSERT_EQ(limits.Connect(kBob), Verdict::kAdmit);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(limits.TakeCall(kAlice, kNow)) << i;
  }
  EXPECT_FALSE(limits.TakeCall(kAlice, kNow));
  EXPECT_TRUE(limits.TakeCall(kBob, kNow));
  EXPECT_FALSE(limits.TakeCall(kAlice, kNow + 99));
  EXPECT_TRUE(limits.TakeCall(kAlice, kNow + 100));
  EXPECT_FALSE(limits.TakeCall(kAlice, kNow + 100)) << "refused ones do not count, taken ones do";
  int taken = 0;
  for (uint64_t ms = 0; ms < 10'000; ++ms) {
    taken += limits.TakeCall(kAlice, kNow + 10'000 + ms) ? 1 : 0;
  }
  EXPECT_EQ(taken, 3 + 99);
}

TEST(SourceLimits, ASourceThatReconnectsKeepsItsDebt) {
  SourceLimits limits({.calls_per_s = 1, .call_burst = 2});
  ASSERT_EQ(limits.Connect(kAlice), Verdict::kAdmit);
  EXPECT_TRUE(limits.TakeCall(kAlice, kNow));
  EXPECT_TRUE(limits.TakeCall(kAlice, kNow));
  limits.Disconnect(kAlice, /*half_open=*/true, kNow);
  ASSERT_EQ(limits.Connect(kAlice), Verdict::kAdmit);
  EXPECT_FALSE(limits.TakeCall(kAlice, kNow));
  limits.Disconnect(kAlice, /*half_open=*/true, kNow);
  EXPECT_EQ(limits.num_sources(), 1u);
  ASSERT_EQ(limits.Connect(kBob), Verdict::kAdmit);
  limits.Disconnect(kBob, /*half_open=*/true, kNow + 5'000);
  EXPECT_EQ(limits.num_sources(), 0u) << "Alice's bucket is full again";
}

TEST(SourceLimits, MemoryIsBounded) {
  SourceLimits limits({.calls_per_s = 1, .call_burst = 1, .max_remembered = 100});
  for (uint32_t i = 0; i < 10'000; ++i) {
    ASSERT_EQ(limits.Connect(i), Verdict::kAdmit);
    EXPECT_TRUE(limits.TakeCall(i, kNow));
    limits.Disconnect(i, /*half_open=*/true, kNow);
  }
  EXPECT_EQ(limits.num_sources(), 100u);
}

}  // namespace
}  // namespace culvert::pptp
