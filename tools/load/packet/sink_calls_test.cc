#include "tools/load/packet/sink_calls.h"

#include <gtest/gtest.h>

namespace culvert::load {
namespace {

constexpr uint64_t kNow = 1'000'000;

Probe Data(uint32_t call, uint32_t sequence) {
  return {.kind = ProbeKind::kData, .run = 1, .call = call, .sequence = sequence};
}

TEST(Order, TellsPlaces) {
  using Place = Order::Place;
  Order order;
  EXPECT_EQ(order.See(0xfffffffe), Place::kNext);
  EXPECT_EQ(order.See(1), Place::kNext) << "the number wraps";
  EXPECT_EQ(order.See(0), Place::kLate);
  EXPECT_EQ(order.See(0), Place::kDuplicate);
  EXPECT_EQ(order.See(0xfffffffe), Place::kDuplicate);
  EXPECT_EQ(order.See(200), Place::kNext);
  EXPECT_EQ(order.See(1), Place::kTooLate) << "more than 64 behind";
  EXPECT_EQ(order.See(137), Place::kLate);
  EXPECT_EQ(order.See(137), Place::kDuplicate);
}

TEST(SinkCalls, CountsEachCallAndAll) {
  SinkCalls calls;
  calls.Take(Data(2, 0), 72, kNow);
  calls.Take(Data(1, 0), 36, kNow);
  calls.Take(Data(1, 2), 36, kNow);
  calls.Take(Data(1, 1), 36, kNow);
  SinkCalls::Call* call = calls.Take(Data(1, 1), 36, kNow);
  calls.TakeCorrupted(Data(1, 9));
  calls.TakeCorrupted(Data(99, 9));
  calls.CountAnswers(call, 2, 200);
  EXPECT_EQ(call->counts, (SinkCounts{.packets = 3,
                                      .octets = 3 * 64,
                                      .late = 1,
                                      .duplicated = 1,
                                      .corrupted = 1,
                                      .answers = 2,
                                      .answer_octets = 200}));
  EXPECT_EQ(calls.total().packets, 4u);
  EXPECT_EQ(calls.total().octets, 3 * 64 + 100u);
  EXPECT_EQ(calls.total().corrupted, 2u);
}

TEST(SinkCalls, ForgetsSilentCalls) {
  SinkCalls calls;
  calls.Take(Data(1, 0), 36, kNow);
  calls.Take(Data(2, 0), 36, kNow + SinkCalls::kForgetMs);
  calls.Forget(kNow + SinkCalls::kForgetMs + 1);
  EXPECT_EQ(calls.size(), 1u);
}

// One that forgot would count from 0 again, and what came before would be reported as lost.
TEST(SinkCalls, KeepsCallsThatRestForLong) {
  SinkCalls calls;
  calls.Take(Data(1, 0), 36, kNow);
  const uint64_t later = kNow + 1'100'000;  // packet_rate = 0.001, and some patience
  calls.Forget(later);
  EXPECT_EQ(calls.Take(Data(1, 1), 36, later)->counts.packets, 2u);
}

TEST(SinkCalls, ForgetsSoonerWhenThereIsNoRoom) {
  SinkCalls calls;
  for (uint32_t call = 0; call <= SinkCalls::kMaxCalls; ++call) {
    calls.Take(Data(call, 0), 36, kNow);
  }
  EXPECT_EQ(calls.Take(Data(2'000'000, 0), 36, kNow), nullptr);
  calls.Forget(kNow + SinkCalls::kForgetFullMs + 1);
  EXPECT_NE(calls.Take(Data(2'000'000, 0), 36, kNow), nullptr);
}

}  // namespace
}  // namespace culvert::load
