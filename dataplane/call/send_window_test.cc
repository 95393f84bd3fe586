#include "dataplane/call/send_window.h"

#include <gtest/gtest.h>

namespace culvert::dataplane {
namespace {

class SendWindowTest : public ::testing::Test {
 protected:
  // Send takes numbers while there is room, each round one packet; gives how many left.
  unsigned Send(unsigned num) {
    unsigned sent = 0;
    while (sent < num && window_.Reserve(next_, now_ms_, ++round_)) {
      ++next_;
      ++sent;
    }
    return sent;
  }
  void Acknowledge(uint32_t ack) { window_.Acknowledged(ack, next_, now_ms_); }

  SendWindow window_{};
  uint32_t next_ = 0xfffffffa;  // wraps soon
  uint32_t now_ms_ = 0xffffff00;
  uint32_t round_ = 0;
};

// RFC 2637 s4.2, s4.4.
TEST_F(SendWindowTest, HalfOfThePeersAtFirstAndGrowsWithEachFullOne) {
  window_.Set(8, next_);
  EXPECT_EQ(Send(100), 4u);
  EXPECT_EQ(Send(1), 0u);
  Acknowledge(next_ - 1);
  EXPECT_EQ(window_.window(), 5);
  EXPECT_EQ(Send(100), 5u);
  Acknowledge(next_ - 3);
  EXPECT_EQ(window_.window(), 5);
  EXPECT_EQ(Send(100), 3u);
  Acknowledge(next_ - 1);
  EXPECT_EQ(window_.window(), 6);
  for (int i = 0; i < 10; ++i) {
    Send(100);
    Acknowledge(next_ - 1);
  }
  EXPECT_EQ(window_.window(), 8);
}

TEST_F(SendWindowTest, WhatIsOnItsWayInOneRoundCounts) {
  window_.Set(8, next_);
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(window_.Reserve(next_, now_ms_, 1));
    next_ += i % 2;  // every second one is numbered later
  }
  EXPECT_FALSE(window_.Reserve(next_, now_ms_, 1));
  EXPECT_TRUE(window_.Reserve(next_, now_ms_, 2)) << "two were dropped on the way";
}

TEST_F(SendWindowTest, WhatWaitsForTheNextRoundCounts) {
  window_.Set(8, next_);
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(window_.Reserve(next_, now_ms_, 1));
  }
  ++next_;
  for (int i = 0; i < 2; ++i) {  // one was dropped
    window_.Keep(next_, 2);
  }
  EXPECT_TRUE(window_.Reserve(next_, now_ms_, 2));
  EXPECT_FALSE(window_.Reserve(next_, now_ms_, 2));
}

TEST_F(SendWindowTest, WrongAcknowledgementsAreIgnored) {
  window_.Set(2, next_);
  EXPECT_EQ(Send(2), 1u);
  Acknowledge(next_);      // not sent yet
  Acknowledge(next_ - 2);  // known already
  Acknowledge(next_ + 1000);
  EXPECT_EQ(Send(1), 0u);
  Acknowledge(next_ - 1);
  EXPECT_EQ(Send(1), 1u);
}

TEST_F(SendWindowTest, TimeOutHalvesAndGoesOn) {
  window_.Set(64, next_);
  EXPECT_EQ(Send(100), 32u);
  now_ms_ += 99;
  EXPECT_EQ(Send(100), 0u);
  now_ms_ += 1;
  EXPECT_EQ(Send(100), 16u);
  EXPECT_EQ(window_.window(), 16);
  EXPECT_EQ(window_.rtt_us(), 200'000);
  for (int i = 0; i < 20; ++i) {
    now_ms_ += 20'000;
    EXPECT_GE(Send(100), 1u);
  }
  EXPECT_EQ(window_.window(), 1);
  EXPECT_EQ(window_.TimeOutUs(), SendWindow::kMaxTimeOutUs);
}

// RTT 100 ms, DEV 0; a sample of 20 ms: DIFF -80, DEV 20, RTT 90, ATO 170.
TEST_F(SendWindowTest, Estimator) {
  window_.Set(64, next_);
  EXPECT_EQ(window_.TimeOutUs(), 100'000);
  Send(1);
  now_ms_ += 20;
  Acknowledge(next_ - 1);
  EXPECT_EQ(window_.deviation_us(), 20'000);
  EXPECT_EQ(window_.rtt_us(), 90'000);
  EXPECT_EQ(window_.TimeOutUs(), 170'000);
}

TEST_F(SendWindowTest, SameWindowAgainChangesNothing) {
  window_.Set(8, next_);
  Send(4);
  Acknowledge(next_ - 1);
  window_.Set(8, next_);
  EXPECT_EQ(window_.window(), 5);
  window_.Set(20, next_);
  EXPECT_EQ(window_.window(), 10);
}

}  // namespace
}  // namespace culvert::dataplane
