// The sweep by a clock of the test's own: calls rest when nothing can happen to them, and no event
// comes later for it than by what is noticed about a call a few seconds late.
#include "dataplane/worker/sweep.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "dataplane/call/call_table.h"

namespace culvert::dataplane {
namespace {

constexpr uint32_t kIndex = 77;

class SweepTest : public ::testing::Test {
 protected:
  SweepTest() : table_(*CallTable::Create(1)), sweep_(table_->size()) {
    EXPECT_TRUE(table_->Allocate(0).ok());
    context_->calls = table_.get();
    context_->counters = counters_.get();
    context_->sweep = &sweep_;
    context_->now_ms = 1000;
    sweep_.Run(context_.get());
    call().generation = 1;
    program_.index = kIndex;
  }
  Call& call() { return table_->At(kIndex); }
  CallWatch& watch() { return table_->WatchOf(kIndex); }
  void Program() { ProgramWatch(program_, true, &call(), context_.get()); }
  // Second lets one go by, and more of the call's packets in it.
  void Second(uint64_t packets = 0) {
    call().upstream_packets += packets;
    call().last_sound += static_cast<uint32_t>(packets);
    for (unsigned i = 0; i < 100; ++i) {
      context_->now_ms += 10;
      sweep_.Run(context_.get());
    }
  }
  // SecondsTo gives after how many the event comes.
  std::optional<unsigned> SecondsTo(CallEvent::Kind kind, unsigned most) {
    for (unsigned s = 1; s <= most; ++s) {
      Second();
      if (const auto event = context_->events.Take(); event && event->kind == kind) {
        return s;
      }
    }
    return std::nullopt;
  }

  std::unique_ptr<WorkerContext> context_ = std::make_unique<WorkerContext>();
  std::unique_ptr<WorkerCounters> counters_ = std::make_unique<WorkerCounters>();
  std::unique_ptr<CallTable> table_;
  Sweep sweep_;
  CallProgram program_;
};

TEST_F(SweepTest, VisitsBusyCallsEveryFourthSecond) {
  program_.idle_timeout_s = 600;
  Program();
  unsigned visits = 0;
  for (unsigned s = 0; s < 40; ++s) {
    const uint64_t before = watch().seen_packets;
    Second(1);
    visits += watch().seen_packets != before ? 1 : 0;
  }
  EXPECT_NEAR(visits, 10, 1);
}

TEST_F(SweepTest, ShortTimeoutsAreWatchedClosely) {
  program_.idle_timeout_s = 15;
  Program();
  for (unsigned s = 0; s < 40; ++s) {
    Second(1);
    EXPECT_GE(watch().seen_packets + 1, call().upstream_packets);
  }
}

TEST_F(SweepTest, IdleInTime) {
  program_.idle_timeout_s = 60;
  Program();
  for (unsigned s = 0; s < 30; ++s) {
    Second(1);
  }
  const auto seconds = SecondsTo(CallEvent::Kind::kIdle, 100);
  ASSERT_TRUE(seconds);
  EXPECT_GE(*seconds, 60U);
  EXPECT_LE(*seconds, 65U);
}

// What may be used up while a call rests keeps it from resting.
TEST_F(SweepTest, QuotaWithinASecondOrTwo) {
  constexpr uint64_t kGigabyte = 1'000'000'000;
  program_.octet_quota = 200 * kGigabyte;
  Program();
  for (unsigned s = 0; s < 20; ++s) {
    Second();
  }
  for (unsigned s = 0; s < 199; s += 10) {  // 80 Gbit/s
    call().upstream_octets += 10 * kGigabyte;
    EXPECT_FALSE(context_->events.Take());
    Second();
  }
  EXPECT_TRUE(context_->events.Take() || SecondsTo(CallEvent::Kind::kQuota, 2));
}

TEST_F(SweepTest, HurryEndsARest) {
  program_.idle_timeout_s = 600;
  Program();
  for (unsigned s = 0; s < 10; ++s) {
    Second(1);
  }
  for (unsigned i = 0; i < 8; ++i) {
    sweep_.Hurry(kIndex);
    Second(1);
    EXPECT_EQ(watch().seen_packets, call().upstream_packets);
  }
}

}  // namespace
}  // namespace culvert::dataplane
