// Stateful MPPE both ways against Linux's rules and the RFC's.
#include "dataplane/mppe/receive/stateful.h"

#include <gtest/gtest.h>

#include "dataplane/mppe/send.h"
#include "dataplane/rig/mppe_peer.h"

namespace culvert::dataplane::mppe {
namespace {

using Style = MppePeer::Style;

constexpr uint32_t kNowMs = 1000;
const Bytes kPacket = MakeIpv4({Ip(10, 0, 0, 1), Ip(10, 0, 0, 2)}, Bytes(40, 0x5a));

struct Case {
  Style style;
  uint16_t bits;
};

class StatefulTest : public ::testing::TestWithParam<Case> {
 protected:
  StatefulTest() {
    state_.start_key = spec_.start_key;
    state_.session_key = FirstKey(*Sha1::Create(), spec_.start_key, spec_.bits);
    state_.bits = static_cast<uint8_t>(spec_.bits);
    state_.stateful = 1;
  }

  static MppeKeySpec Spec() {
    MppeKeySpec spec;
    spec.bits = GetParam().bits;
    spec.start_key = {1, 2, 3, 4, 5, 6, 7, 8};
    spec.stateful = true;
    return spec;
  }
  // Open gives what becomes of a frame that comes with the next GRE number after `lost` others.
  DropReason Open(const Bytes& ppp, uint32_t lost = 0) {
    sequence_ += 1 + lost;
    Bytes frame(ppp.begin() + 4, ppp.end());
    catch_ups_ = std::make_unique<CatchUps>();
    StatefulReceiver receiver(engine_.get(), catch_ups_.get());
    DropReason error = receiver.Plan({&state_, sequence_, now_ms_, frame}, &row_);
    if (error == DropReason::kCount) {
      EXPECT_FALSE(StatefulReceiver::CanPlan(state_));
      receiver.Run();
      error = receiver.Open().error;
    }
    state_.failures = error == DropReason::kCount ? 0 : state_.failures + 1;
    if (error == DropReason::kCount) {
      EXPECT_EQ(Bytes(frame.begin() + 4, frame.end()), kPacket);
    }
    return error;
  }
  bool NeedsReset(DropReason reason) {
    return StatefulReceiver::NeedsReset(reason, state_, now_ms_, &row_);
  }
  // Seal gives the sender's next PPP frame.
  Bytes Seal() {
    Bytes ppp = Hex("ff03 00fd 0000 0021") + kPacket;
    const uint16_t header =
        sender_.PlanStateful(&state_, &row_, ++round_, std::span(ppp).subspan(6));
    sender_.Run();
    wire::StoreBe16(&ppp[4], header);
    return ppp;
  }

  MppeKeySpec spec_ = Spec();
  std::unique_ptr<Engine> engine_ = Engine::Create();
  std::unique_ptr<CatchUps> catch_ups_;
  Sender sender_{engine_.get()};
  MppePeer peer_{spec_, GetParam().style};
  MppeState state_{};  // of the one direction that a test has
  StatefulRow row_{};
  uint32_t sequence_ = 0;
  uint32_t now_ms_ = kNowMs;
  uint32_t round_ = 0;
};

TEST_P(StatefulTest, ReceivesInOrderThroughTheWrap) {
  for (int i = 0; i < 9000; ++i) {
    ASSERT_EQ(Open(peer_.Send(kPacket)), DropReason::kCount) << i;
  }
}

TEST_P(StatefulTest, SendsInOrderThroughTheWrap) {
  for (int i = 0; i < 9000; ++i) {
    ASSERT_EQ(peer_.Receive(Seal()), kPacket) << i;
  }
}

// A Culvert's answer to a reset skips counts, for which there are no GRE numbers; the answer may
// get lost too.
TEST_P(StatefulTest, RecoversFromACulvertsLosses) {
  Sender sender(engine_.get());
  MppeState sent = state_;
  StatefulRow sent_row{};
  const auto seal = [&] {
    Bytes ppp = Hex("ff03 00fd 0000 0021") + kPacket;
    wire::StoreBe16(&ppp[4],
                    sender.PlanStateful(&sent, &sent_row, ++round_, std::span(ppp).subspan(6)));
    sender.Run();
    return ppp;
  };
  for (const bool answer_is_lost : {false, true}) {
    for (int i = 0; i < 20; ++i) {
      ASSERT_EQ(Open(seal()), DropReason::kCount) << i;
    }
    seal();
    DropReason reason = Open(seal(), 1);
    ASSERT_EQ(reason, DropReason::mppe_out_of_step);
    ASSERT_TRUE(NeedsReset(reason));
    Sender::AskForFlush(round_, &sent_row);
    if (answer_is_lost) {
      seal();
      reason = Open(seal(), 1);
      ASSERT_EQ(reason, DropReason::mppe_out_of_step);
      now_ms_ += 500;
      ASSERT_TRUE(NeedsReset(reason));
      Sender::AskForFlush(round_, &sent_row);
    }
    ASSERT_EQ(Open(seal()), DropReason::kCount) << answer_is_lost;
  }
}

TEST_P(StatefulTest, RecoversFromLossesByAReset) {
  for (const uint32_t lost :
       {1U, 2U, 100U, 254U, 255U, 256U, 700U, 2048U, 4095U, 4096U, 4097U, 10000U, 16000U}) {
    ASSERT_EQ(Open(peer_.Send(kPacket)), DropReason::kCount) << lost;
    peer_.Skip(lost);
    DropReason reason = Open(peer_.Send(kPacket), lost);
    if (reason != DropReason::kCount) {  // a flag frame is enough
      ASSERT_EQ(reason, DropReason::mppe_out_of_step) << lost;
      EXPECT_TRUE(NeedsReset(reason));
      EXPECT_FALSE(NeedsReset(reason)) << "at a bounded rate";
      peer_.FlushNext();
      reason = Open(peer_.Send(kPacket));
    }
    ASSERT_EQ(reason, DropReason::kCount) << lost;
    for (int i = 0; i < 10; ++i) {
      ASSERT_EQ(Open(peer_.Send(kPacket)), DropReason::kCount) << lost << " + " << i;
    }
  }
}

// Linux has changed its key for each answer that was lost, and its own receiver never recovers.
TEST_P(StatefulTest, RecoversWhenAnswersAreLost) {
  ASSERT_EQ(Open(peer_.Send(kPacket)), DropReason::kCount);
  peer_.Skip(1);
  uint32_t lost = 1;
  for (int i = 0; i < 5; ++i) {
    const DropReason reason = Open(peer_.Send(kPacket), lost);
    ASSERT_EQ(reason, DropReason::mppe_out_of_step);
    EXPECT_TRUE(NeedsReset(reason));
    now_ms_ += 501;
    peer_.FlushNext();
    if (i < 4) {
      peer_.Skip(1);
      lost = 1;
    }
  }
  EXPECT_EQ(Open(peer_.Send(kPacket)), DropReason::kCount);
  EXPECT_EQ(row_.num_resets, 0);
  EXPECT_EQ(Open(peer_.Send(kPacket)), DropReason::kCount);
}

TEST_P(StatefulTest, RecoversAfterALongSilenceOfAnswers) {
  ASSERT_EQ(Open(peer_.Send(kPacket)), DropReason::kCount);
  for (int i = 0; i < 110; ++i) {  // a minute
    peer_.Skip(1);
    const DropReason reason = Open(peer_.Send(kPacket), 1);
    ASSERT_EQ(reason, DropReason::mppe_out_of_step);
    EXPECT_TRUE(NeedsReset(reason));
    now_ms_ += 501;
  }
  peer_.FlushNext();
  EXPECT_EQ(Open(peer_.Send(kPacket)), DropReason::kCount);
}

// One call's garbage must not cost the others their flag frames.
TEST_P(StatefulTest, GarbageUsesUpTheCallsOwnBudgetAndNotTheRounds) {
  ASSERT_EQ(Open(peer_.Send(kPacket)), DropReason::kCount);
  state_.key_budget = 10;
  state_.budget_ms = now_ms_;
  const Bytes garbage = Hex("ff03 00fd 9005") + Bytes(60, 0x77);
  unsigned num_tried = 0;
  while (Open(garbage, 9) == DropReason::mppe_implausible) {
    ASSERT_LE(++num_tried, 10u);
  }
  EXPECT_EQ(Open(garbage, 9), DropReason::mppe_key_budget);
  EXPECT_TRUE(catch_ups_->TakeChanges(CatchUps::kInlineChanges));
}

TEST_P(StatefulTest, ForgedAndLateFramesCostNothing) {
  for (int i = 0; i < 600; ++i) {
    const Bytes sent = peer_.Send(kPacket);
    const auto next = static_cast<uint16_t>(state_.position & 0xfff);
    for (const uint16_t header : {0x1000 | next, 0x9000 | next, 0x1000 | ((next + 5) & 0xfff)}) {
      Bytes forged = Hex("ff03 00fd 0000") + Bytes(60, static_cast<uint8_t>(i));
      wire::StoreBe16(&forged[4], static_cast<uint16_t>(header));
      const uint32_t before = sequence_;
      EXPECT_NE(Open(forged, 4), DropReason::kCount);
      sequence_ = before;
    }
    ASSERT_EQ(Open(sent), DropReason::kCount) << i;
    EXPECT_EQ(Open(sent), DropReason::mppe_late);
    --sequence_;
  }
}

TEST_P(StatefulTest, AsksForAResetWhenOnlyTheCountsAgree) {
  ASSERT_EQ(Open(peer_.Send(kPacket)), DropReason::kCount);
  peer_.Send(Bytes(30));  // keystream that we do not know of
  MppeState ahead = state_;
  state_.position = ahead.position + 1;
  DropReason reason = DropReason::kCount;
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(NeedsReset(reason));
    reason = Open(peer_.Send(kPacket));
    EXPECT_EQ(reason, i == 0 ? DropReason::mppe_implausible : DropReason::mppe_out_of_step);
    if (i > 0) {
      EXPECT_TRUE(NeedsReset(reason));
      break;
    }
  }
  peer_.FlushNext();
  EXPECT_EQ(Open(peer_.Send(kPacket)), DropReason::kCount);
}

TEST_P(StatefulTest, AnswersAResetSoThatBothKindsRecover) {
  for (const int lost : {1, 100, 255, 256, 3000}) {
    ASSERT_EQ(peer_.Receive(Seal()), kPacket);
    for (int i = 0; i < lost; ++i) {
      Seal();
    }
    if (const auto received = peer_.Receive(Seal()); received.has_value()) {
      continue;  // it was a flag frame
    }
    ASSERT_TRUE(peer_.wants_reset());
    Sender::AskForFlush(round_ + 1, &row_);
    EXPECT_EQ(peer_.Receive(Seal()), std::nullopt) << "the Reset-Ack leaves first";
    Seal();  // the answer is lost
    EXPECT_EQ(peer_.Receive(Seal()), std::nullopt);
    Sender::AskForFlush(round_, &row_);
    ASSERT_EQ(peer_.Receive(Seal()), kPacket) << lost;
    for (int i = 0; i < 300; ++i) {
      ASSERT_EQ(peer_.Receive(Seal()), kPacket) << lost << " + " << i;
    }
  }
}

// A Reset-Request that nothing was lost for costs a round of another one, no more.
TEST_P(StatefulTest, NeedlessResetEndsWell) {
  ASSERT_EQ(peer_.Receive(Seal()), kPacket);
  Sender::AskForFlush(round_, &row_);
  if (peer_.Receive(Seal()) == std::nullopt) {
    Sender::AskForFlush(round_, &row_);
    ASSERT_EQ(peer_.Receive(Seal()), kPacket);
  }
  EXPECT_EQ(peer_.Receive(Seal()), kPacket);
}

INSTANTIATE_TEST_SUITE_P(Peers, StatefulTest,
                         ::testing::Values(Case{Style::kLinux, 128}, Case{Style::kLinux, 40},
                                           Case{Style::kRfc, 128}, Case{Style::kRfc, 56}));

}  // namespace
}  // namespace culvert::dataplane::mppe
