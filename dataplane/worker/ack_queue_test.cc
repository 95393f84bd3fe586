#include "dataplane/worker/ack_queue.h"

#include <gtest/gtest.h>

#include "dataplane/call/ack_delay.h"

namespace culvert::dataplane {
namespace {

TEST(AckQueueTest, GivesEntriesByDeadline) {
  AckQueue queue;
  const uint32_t now = UINT32_MAX - 20;  // the milliseconds wrap
  AckQueue::Entry entry{};
  EXPECT_FALSE(queue.TakeDue(now, &entry));
  ASSERT_TRUE(queue.Put(1, 11, now, 100));
  ASSERT_TRUE(queue.Put(2, 12, now, 10));
  ASSERT_TRUE(queue.Put(3, 13, now, 1000));
  ASSERT_TRUE(queue.Put(4, 14, now, 10));
  EXPECT_FALSE(queue.TakeDue(now + 9, &entry));
  ASSERT_TRUE(queue.TakeDue(now + 10, &entry));
  EXPECT_TRUE(entry.call_index == 2 && entry.generation == 12);
  ASSERT_TRUE(queue.TakeDue(now + 10, &entry));
  EXPECT_EQ(entry.call_index, 4U);
  EXPECT_FALSE(queue.TakeDue(now + 99, &entry));
  ASSERT_TRUE(queue.TakeDue(now + 999, &entry));
  EXPECT_EQ(entry.call_index, 1U);
  EXPECT_FALSE(queue.TakeDue(now + 999, &entry));
  ASSERT_TRUE(queue.TakeDue(now + 5000, &entry));  // after a long pause
  EXPECT_EQ(entry.call_index, 3U);
  EXPECT_FALSE(queue.TakeDue(now + 5000, &entry));
}

TEST(AckQueueTest, TellsWhenItIsFullAndUsesItsRoomAgain) {
  AckQueue queue;
  AckQueue::Entry entry{};
  uint32_t next = 0;
  EXPECT_FALSE(queue.TakeDue(1, &entry));
  for (int round = 0; round < 3; ++round) {
    const uint32_t now = 1 + static_cast<uint32_t>(round) * 200;
    uint32_t num = 0;
    while (queue.Put(num, 0, now, 100 + num % 7)) {
      ++num;
    }
    EXPECT_EQ(num, 65536U);
    EXPECT_FALSE(queue.TakeDue(now + 99, &entry));
    uint32_t taken = 0;
    for (; queue.TakeDue(now + 150, &entry); ++taken) {
      if (queue.Ahead(&next)) {
        EXPECT_EQ(next, entry.call_index + 7 * 5);
      }
    }
    EXPECT_EQ(taken, num);
  }
}

TEST(AckDelayTest, IsNeverShorterThanAskedFor) {
  for (uint32_t ms = 1; ms <= AckDelay::kMaxMs; ++ms) {
    const uint32_t kept = AckDelay::FromOctet(AckDelay(ms).octet()).ms();
    EXPECT_GE(kept, ms);
    EXPECT_LT(kept, ms + (ms <= 128 ? 1 : 8));
  }
}

}  // namespace
}  // namespace culvert::dataplane
