#include "dataplane/worker/event_queue.h"

#include <gtest/gtest.h>

#include <thread>

namespace culvert::dataplane {
namespace {

using Kind = CallEvent::Kind;

TEST(EventQueue, GivesEventsInOrderWithTheirTime) {
  EventQueue queue;
  EXPECT_FALSE(queue.Take());
  ASSERT_TRUE(queue.Report(7, Kind::kIdle));
  ASSERT_TRUE(queue.Report(8, Kind::kMppeFailed));
  EXPECT_EQ(queue.depth(), 2U);
  const auto first = queue.Take();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->handle, 7U);
  EXPECT_EQ(first->kind, Kind::kIdle);
  EXPECT_LT(std::abs(first->time_ms - int64_t{time(nullptr)} * 1000), 5000);
  EXPECT_EQ(queue.Take()->kind, Kind::kMppeFailed);
  EXPECT_FALSE(queue.Take());
  EXPECT_EQ(queue.depth(), 0U);
}

TEST(EventQueue, SaysWhenItIsFull) {
  EventQueue queue;
  for (uint32_t i = 0; i < EventQueue::kSize; ++i) ASSERT_TRUE(queue.Report(i, Kind::kDead));
  EXPECT_FALSE(queue.Report(99999, Kind::kDead));
  EXPECT_EQ(queue.Take()->handle, 0U);
  EXPECT_TRUE(queue.Report(99999, Kind::kDead));
}

TEST(EventQueue, LosesNothingBetweenTwoThreads) {
  constexpr uint64_t kNum = 50000;
  EventQueue queue;
  std::thread worker([&queue] {
    for (uint64_t i = 0; i < kNum;) {
      if (queue.Report(i, Kind::kQuota)) {
        ++i;
      } else {
        std::this_thread::yield();
      }
    }
  });
  uint64_t expected = 0;
  while (expected < kNum) {
    const auto event = queue.Take();
    if (!event) {
      std::this_thread::yield();
      continue;
    }
    EXPECT_EQ(event->handle, expected);
    ++expected;
  }
  worker.join();
}

}  // namespace
}  // namespace culvert::dataplane
