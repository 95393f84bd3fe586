#include "controlplane/accounting/delivery/sender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace culvert::accounting {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Verdict = Sender::Verdict;
using Step = Entry::Step;

class SenderTest : public ::testing::Test {
 protected:
  void Add(int64_t seq, Step step, uint64_t call, bool aside = false) {
    sender_.Add({.seq = seq, .step = step, .call = call, .record = "r", .aside = aside});
  }
  std::vector<int64_t> Take() {
    std::vector<int64_t> seqs;
    for (const Sender::Outgoing& outgoing : sender_.Take(now_ms_)) {
      seqs.push_back(outgoing.seq);
    }
    return seqs;
  }
  Verdict Ack(int64_t seq) { return sender_.OnAnswer(seq, true, now_ms_).verdict; }
  Verdict Fail(int64_t seq) { return sender_.OnAnswer(seq, false, now_ms_).verdict; }
  // Pass lets so much time go by that every pause is over.
  void Pass() { now_ms_ += 60'000; }

  uint64_t now_ms_ = 1000;
  Sender sender_{4};
};

TEST_F(SenderTest, SendsSeveralCallsAtOnceAndEachInOrder) {
  Add(1, Step::kStart, 1);
  Add(2, Step::kStart, 2);
  Add(3, Step::kStop, 1);
  Add(4, Step::kStop, 2);
  EXPECT_THAT(Take(), ElementsAre(1, 2));
  EXPECT_THAT(Take(), IsEmpty());
  EXPECT_EQ(Ack(2), Verdict::kDone);
  EXPECT_THAT(Take(), ElementsAre(4));
  EXPECT_EQ(Ack(1), Verdict::kDone);
  EXPECT_THAT(Take(), ElementsAre(3));
  Ack(3);
  Ack(4);
  EXPECT_TRUE(sender_.idle());
}

TEST_F(SenderTest, KeepsWithinTheLimit) {
  for (int64_t seq = 1; seq <= 10; ++seq) {
    Add(seq, Step::kStart, static_cast<uint64_t>(seq));
  }
  EXPECT_THAT(Take(), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(sender_.in_flight(), 4u);
  EXPECT_EQ(sender_.Wanted(), 6u);
  Ack(3);
  EXPECT_THAT(Take(), ElementsAre(5));
}

TEST_F(SenderTest, WhileServersAreAwayOneAsks) {
  for (int64_t seq = 1; seq <= 6; ++seq) {
    Add(seq, Step::kStart, static_cast<uint64_t>(seq));
  }
  Take();
  for (int64_t seq = 1; seq <= 4; ++seq) {
    EXPECT_EQ(Fail(seq), Verdict::kKeep);
  }
  EXPECT_TRUE(sender_.away());
  EXPECT_THAT(Take(), IsEmpty()) << "a pause";
  now_ms_ += 999;
  EXPECT_THAT(Take(), IsEmpty());
  now_ms_ += 1;
  const std::vector<int64_t> first = Take();
  ASSERT_EQ(first.size(), 1u) << "one failure, whatever the number of records";
  EXPECT_EQ(Fail(first[0]), Verdict::kKeep);
  uint64_t last_ms = now_ms_;
  std::vector<uint64_t> pauses;
  for (int i = 0; i < 200; ++i) {  // a hundred seconds
    now_ms_ += 500;
    if (std::vector<int64_t> seqs = Take(); !seqs.empty()) {
      ASSERT_EQ(seqs.size(), 1u);
      pauses.push_back(now_ms_ - last_ms);
      last_ms = now_ms_;
      EXPECT_EQ(Fail(seqs[0]), Verdict::kKeep);
    }
  }
  EXPECT_EQ(pauses.back(), 30'000u);
  EXPECT_LE(pauses.size(), 8u);
  Pass();
  const std::vector<int64_t> seqs = Take();
  ASSERT_EQ(seqs.size(), 1u);
  EXPECT_EQ(Ack(seqs[0]), Verdict::kDone);
  EXPECT_FALSE(sender_.away());
  Pass();
  EXPECT_EQ(Take().size(), 2u) << "more by and by";
}

TEST_F(SenderTest, AccountingOnGoesAlone) {
  Add(1, Step::kStop, 1);
  Add(2, Step::kOn, 0);
  Add(3, Step::kStart, 2);
  EXPECT_THAT(Take(), ElementsAre(1));
  Ack(1);
  EXPECT_THAT(Take(), ElementsAre(2));
  Ack(2);
  EXPECT_THAT(Take(), ElementsAre(3));
}

TEST_F(SenderTest, AccountingOnThatNobodyTakesIsGivenUp) {
  Add(1, Step::kOn, 0);
  for (int64_t seq = 2; seq <= 9; ++seq) {
    Add(seq, Step::kStart, static_cast<uint64_t>(seq));
  }
  Verdict of_on = Verdict::kKeep;
  int64_t others = 0;
  for (int i = 0; i < 40 && of_on == Verdict::kKeep; ++i) {
    Pass();
    const std::vector<int64_t> taken = Take();
    for (const int64_t seq : taken) {
      if (seq != 1) {
        EXPECT_GE(i, 5) << "it holds the others up at first";
        Ack(seq);
        ++others;
      }
    }
    if (std::find(taken.begin(), taken.end(), 1) != taken.end()) {
      of_on = Fail(1);  // that takes longer
    }
  }
  EXPECT_EQ(of_on, Verdict::kDrop);
  EXPECT_GE(others, 1);
}

TEST_F(SenderTest, AStopIsKeptBackByNoStartThatNobodyTakes) {
  Add(1, Step::kStart, 1);
  Add(2, Step::kStop, 1);
  Verdict of_start = Verdict::kKeep;
  bool stop_sent = false;
  for (int64_t seq = 3; seq < 500 && !stop_sent; ++seq) {
    Add(seq, Step::kStart, static_cast<uint64_t>(seq));
    Pass();
    for (const int64_t sent : Take()) {
      if (sent == 1) {
        continue;
      }
      stop_sent = stop_sent || sent == 2;
      Ack(sent);
    }
    if (const Verdict verdict = Fail(1); verdict != Verdict::kKeep) {
      of_start = verdict;
    }
  }
  EXPECT_EQ(of_start, Verdict::kSetAside);
  EXPECT_TRUE(stop_sent);
}

TEST_F(SenderTest, WhatWasSetAsideAsksOnceAndHoldsNothingUp) {
  Add(1, Step::kStart, 1, /*aside=*/true);
  Add(2, Step::kStop, 1);
  Add(3, Step::kOn, 0);
  EXPECT_THAT(Take(), ElementsAre(1, 2));
  EXPECT_EQ(Fail(1), Verdict::kSetAside);
  EXPECT_FALSE(sender_.away());
  Ack(2);
  EXPECT_THAT(Take(), ElementsAre(3));
  Ack(3);
  Add(1, Step::kStart, 1, /*aside=*/true);
  EXPECT_THAT(Take(), ElementsAre(1));
  EXPECT_EQ(Ack(1), Verdict::kDone);
}

TEST_F(SenderTest, NewerRecordsMakeInterimsNeedless) {
  Add(1, Step::kInterim, 1);
  Add(2, Step::kInterim, 2);
  EXPECT_THAT(Take(), ElementsAre(1, 2));
  Add(3, Step::kInterim, 1);
  sender_.Supersede({1});
  Fail(1);
  Pass();
  Fail(2);
  sender_.Supersede({1, 2});
  EXPECT_TRUE(sender_.idle());
  EXPECT_EQ(Ack(1), Verdict::kKeep) << "an answer too many";
}

}  // namespace
}  // namespace culvert::accounting
