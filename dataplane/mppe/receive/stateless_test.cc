// Receiver and sender of stateless MPPE against the vectors, and the receiver's rules.
#include "dataplane/mppe/receive/stateless.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "dataplane/mppe/send.h"
#include "proto/wire/byte_order.h"
#include "proto/wire/ppp.h"
#include "tests/vectors/vectors.h"

namespace culvert::dataplane::mppe {
namespace {

using testing::FromHex;
using testing::ToHex;
using testing::Vectors;
using Bytes = std::vector<uint8_t>;

constexpr uint32_t kNowMs = 1000;

class ReceiveTest : public ::testing::Test {
 protected:
  MppeState NewState(uint16_t bits, const std::string& start_key) {
    MppeState state{};
    const Bytes octets = FromHex(start_key);
    std::copy(octets.begin(), octets.end(), state.start_key.begin());
    state.session_key = FirstKey(*sha1_, state.start_key, bits);
    state.bits = bits;
    state.key_budget = 16384;
    state.budget_ms = kNowMs;
    return state;
  }
  MppeState NewState() { return NewState(128, "8b7cdc149b993a1ba118cb153f56dccb"); }

  // Frame gives the sender's next MPPE frame.
  Bytes Frame(MppeState* sender) {
    Bytes text = FromHex(Vectors()["mppe_stateless_chain_send"]["plaintext"].get<std::string>());
    const uint16_t header = sender_.Plan(sender, text);
    sender_.Run();
    Bytes frame(2 + text.size());
    wire::StoreBe16(frame.data(), header);
    std::copy(text.begin(), text.end(), frame.begin() + 2);
    return frame;
  }
  void Skip(MppeState* sender, unsigned frames) {
    for (unsigned i = 0; i < frames; ++i) {
      Frame(sender);
    }
  }
  // Open is a burst of one.
  Opened Open(MppeState* state, uint32_t sequence, uint32_t now_ms, Bytes* frame) {
    catch_ups_.BeginRound();
    Outcome outcome = receiver_.Plan({state, sequence, now_ms, *frame});
    if (outcome.error == DropReason::mppe_catch_up) {
      // As if the lost frames had come.
      engine_->Advance(state->start_key, state->bits, outcome.position - 1 - state->position,
                       &state->session_key);
      state->position = outcome.position - 1;
      outcome = receiver_.Plan({state, sequence, now_ms, *frame});
    }
    if (outcome.error != DropReason::kCount) {
      return {outcome.error};
    }
    receiver_.Run();
    return receiver_.Open();
  }
  Opened OpenAt(MppeState* state, uint32_t sequence, Bytes frame) {
    return Open(state, sequence, kNowMs, &frame);
  }

  std::unique_ptr<Sha1> sha1_ = Sha1::Create();
  std::unique_ptr<Engine> engine_ = Engine::Create();
  CatchUps catch_ups_;
  Receiver receiver_{engine_.get(), &catch_ups_};
  Sender sender_{engine_.get()};
};

TEST_F(ReceiveTest, SendChainVectorsBothWays) {
  const auto& chain = Vectors()["mppe_stateless_chain_send"];
  const std::string plain = chain["plaintext"].get<std::string>();
  for (const uint16_t bits : {40, 56, 128}) {
    const std::string name = std::to_string(bits);
    MppeState sender = NewState(bits, chain["start_keys"][name].get<std::string>());
    MppeState receiver = sender;
    uint32_t index = 0;
    for (const auto& row : chain["rows"][name]) {
      Skip(&sender, row["packet_index"].get<uint32_t>() - index);
      index = row["packet_index"].get<uint32_t>() + 1;
      Bytes frame = Frame(&sender);
      EXPECT_EQ(ToHex(frame),
                row["mppe_header"].get<std::string>() + row["ciphertext"].get<std::string>());
      EXPECT_EQ(ToHex({sender.session_key.data(), KeyLen(bits)}),
                row["session_key"].get<std::string>());
      const Opened opened = Open(&receiver, index, kNowMs, &frame);
      ASSERT_EQ(opened.error, DropReason::kCount) << bits << " " << index;
      EXPECT_EQ(opened.protocol, wire::ppp::kIpv4);
      EXPECT_EQ(opened.information_offset, 4);
      EXPECT_EQ(ToHex({frame.data() + 2, frame.size() - 2}), plain);
      EXPECT_EQ(receiver.session_key, sender.session_key);
    }
  }
}

TEST_F(ReceiveTest, ReceiveChainVectorsWithBothProtocolForms) {
  const auto& chain = Vectors()["mppe_stateless_chain_recv128"];
  for (const char* field : {"ciphertext", "ciphertext_pfc_inner"}) {
    MppeState receiver = NewState(128, chain["start_key"].get<std::string>());
    for (const auto& row : chain["rows"]) {
      Bytes frame = FromHex(row["mppe_header"].get<std::string>() + row[field].get<std::string>());
      const Opened opened =
          Open(&receiver, row["packet_index"].get<uint32_t>() + 7, kNowMs, &frame);
      ASSERT_EQ(opened.error, DropReason::kCount) << row["packet_index"];
      EXPECT_EQ(opened.protocol, wire::ppp::kIpv4);
      EXPECT_EQ(ToHex({frame.data() + opened.information_offset,
                       frame.size() - opened.information_offset}),
                chain["plaintext"].get<std::string>().substr(4));
      EXPECT_EQ(ToHex(receiver.session_key), row["session_key"].get<std::string>());
    }
  }
}

TEST_F(ReceiveTest, RefusesBadHeadersWithoutChange) {
  MppeState state = NewState();
  const MppeState before = state;
  EXPECT_EQ(OpenAt(&state, 1, FromHex("9000")).error, DropReason::mppe_truncated);
  EXPECT_EQ(OpenAt(&state, 1, FromHex("800000")).error, DropReason::mppe_not_encrypted);
  EXPECT_EQ(OpenAt(&state, 1, FromHex("100000")).error, DropReason::mppe_not_flushed);
  EXPECT_EQ(OpenAt(&state, 1, FromHex("9801aabbcc")).error, DropReason::mppe_late);
  EXPECT_EQ(OpenAt(&state, 1, FromHex("9000aabbccddeeff")).error, DropReason::mppe_implausible);
  EXPECT_EQ(state.session_key, before.session_key);
  EXPECT_EQ(state.position, before.position);
}

TEST_F(ReceiveTest, ForgedJumpLeavesTheCallAlone) {
  MppeState sender = NewState();
  MppeState receiver = sender;
  ASSERT_EQ(OpenAt(&receiver, 10, Frame(&sender)).error, DropReason::kCount);
  // 70 ahead by the count, 1 by the sequence number.
  EXPECT_EQ(OpenAt(&receiver, 11, FromHex("9046aabbccddeeff0011")).error, DropReason::mppe_count);
  // Numbers that fit, garbage inside.
  EXPECT_EQ(OpenAt(&receiver, 81, FromHex("9046aabbccddeeff0011")).error,
            DropReason::mppe_implausible);
  EXPECT_EQ(OpenAt(&receiver, 11, Frame(&sender)).error, DropReason::kCount);
}

TEST_F(ReceiveTest, LateAndDuplicateCounts) {
  MppeState sender = NewState();
  MppeState receiver = sender;
  const Bytes first = Frame(&sender);
  ASSERT_EQ(OpenAt(&receiver, 1, first).error, DropReason::kCount);
  EXPECT_EQ(OpenAt(&receiver, 2, first).error, DropReason::mppe_late);
}

// RFC 3078 s8.1 gives up where the sequence number still tells. What is too much for one round is
// to be held until the keys are made.
TEST_F(ReceiveTest, FindsTheKeyAfterLosses) {
  for (const uint32_t lost : {1U, 90U, 2047U, 2048U, 4096U, 9000U}) {
    MppeState sender = NewState();
    MppeState receiver = sender;
    ASSERT_EQ(OpenAt(&receiver, 100, Frame(&sender)).error, DropReason::kCount);
    Skip(&sender, lost);
    Bytes frame = Frame(&sender);
    catch_ups_.BeginRound();
    // Three control frames were lost as well.
    const Outcome outcome = receiver_.Plan({&receiver, 101 + lost + 3, kNowMs, frame});
    EXPECT_EQ(outcome.position, lost + 2) << lost;
    if (lost > CatchUps::kInlineChanges) {
      EXPECT_EQ(outcome.error, DropReason::mppe_catch_up) << lost;
      EXPECT_EQ(receiver.key_budget, kKeyBudget - (lost + 1)) << lost;
      continue;
    }
    ASSERT_EQ(outcome.error, DropReason::kCount) << lost;
    receiver_.Run();
    EXPECT_EQ(receiver_.Open().error, DropReason::kCount) << lost;
  }
}

TEST_F(ReceiveTest, ControlFramesBetweenDoNotCountAsLosses) {
  MppeState sender = NewState();
  MppeState receiver = sender;
  ASSERT_EQ(OpenAt(&receiver, 1, Frame(&sender)).error, DropReason::kCount);
  receiver.num_others = 6000;
  EXPECT_EQ(OpenAt(&receiver, 6002, Frame(&sender)).error, DropReason::kCount);
  EXPECT_EQ(receiver.num_others, 0u);
}

// Control frames with the client's next numbers: its own data frames of these numbers are late.
TEST_F(ReceiveTest, ForgedControlFramesDoNotMakeTheCallDeaf) {
  MppeState sender = NewState();
  MppeState receiver = sender;
  ASSERT_EQ(OpenAt(&receiver, 10, Frame(&sender)).error, DropReason::kCount);
  Skip(&sender, 18);
  receiver.num_others = 18;
  EXPECT_EQ(OpenAt(&receiver, 29, Frame(&sender)).error, DropReason::kCount);
  EXPECT_EQ(OpenAt(&receiver, 30, Frame(&sender)).error, DropReason::kCount);
}

TEST_F(ReceiveTest, KeyChangesAreBounded) {
  MppeState sender = NewState();
  MppeState receiver = sender;
  ASSERT_EQ(OpenAt(&receiver, 1, Frame(&sender)).error, DropReason::kCount);
  receiver.key_budget = 10;
  Skip(&sender, 11);
  const Bytes frame = Frame(&sender);
  Bytes copy = frame;
  EXPECT_EQ(Open(&receiver, 13, kNowMs, &copy).error, DropReason::mppe_key_budget);
  copy = frame;
  EXPECT_EQ(Open(&receiver, 13, kNowMs + 100, &copy).error, DropReason::kCount);
}

// A burst of two calls; forged frames stand among the first one's, and one comes twice.
TEST_F(ReceiveTest, ForgedFramesInABurstCostTheOthersNothing) {
  MppeState senders[2] = {NewState(), NewState(40, "8b7cdc149b993a1b")};
  MppeState receivers[2] = {senders[0], senders[1]};
  for (int call = 0; call < 2; ++call) {
    ASSERT_EQ(OpenAt(&receivers[call], 100, Frame(&senders[call])).error, DropReason::kCount);
  }
  struct Sent {
    int call;
    uint32_t sequence;
    Bytes frame;
    DropReason error;
  };
  const DropReason sound = DropReason::kCount;
  std::vector<Sent> burst;
  const auto add = [&](int call, uint32_t sequence, Bytes frame, DropReason error) {
    burst.push_back({call, sequence, std::move(frame), error});
  };
  add(0, 101, Frame(&senders[0]), sound);
  add(1, 101, Frame(&senders[1]), sound);
  add(0, 400, FromHex("9046aabbccddeeff0011"), DropReason::mppe_implausible);  // 69 ahead
  Skip(&senders[0], 3);
  add(0, 405, Frame(&senders[0]), sound);
  add(0, 406, burst.back().frame, DropReason::mppe_late);
  add(1, 102, FromHex("9002aabbccddeeff0011"), DropReason::mppe_implausible);
  add(1, 103, Frame(&senders[1]), sound);
  add(0, 407, Frame(&senders[0]), sound);
  add(0, 408, FromHex("9fffaabbccddeeff0011"), DropReason::mppe_late);
  std::vector<size_t> planned;
  for (size_t i = 0; i < burst.size(); ++i) {
    const DropReason error =
        receiver_.Plan({&receivers[burst[i].call], burst[i].sequence, kNowMs, burst[i].frame})
            .error;
    if (error == sound) {
      planned.push_back(i);
    } else {
      EXPECT_EQ(error, burst[i].error) << i;
    }
  }
  ASSERT_EQ(planned.size(), burst.size() - 1);
  receiver_.Run();
  for (const size_t i : planned) {
    EXPECT_EQ(receiver_.Open().error, burst[i].error) << i;
  }
  for (int call = 0; call < 2; ++call) {
    EXPECT_EQ(receivers[call].session_key, senders[call].session_key);
    EXPECT_EQ(receivers[call].position, senders[call].position);
    EXPECT_EQ(receivers[call].last_job, 0);
  }
}

// The sender's bursts are what frames made one by one are.
TEST_F(ReceiveTest, SendsABurstWithoutAGap) {
  MppeState alone[2] = {NewState(), NewState(56, "8b7cdc149b993a1b")};
  MppeState together[2] = {alone[0], alone[1]};
  const Bytes plain =
      FromHex(Vectors()["mppe_stateless_chain_send"]["plaintext"].get<std::string>());
  Sender sender(engine_.get());
  for (int burst = 0; burst < 3; ++burst) {
    std::array<Bytes, Sender::kMaxFrames> texts;
    std::array<uint16_t, Sender::kMaxFrames> headers{};
    for (size_t i = 0; i < texts.size(); ++i) {
      texts[i] = plain;
      headers[i] = sender.Plan(&together[i % 3 == 0 ? 1 : 0], texts[i]);
    }
    sender.Run();
    for (size_t i = 0; i < texts.size(); ++i) {
      Bytes frame(2);
      wire::StoreBe16(frame.data(), headers[i]);
      frame.insert(frame.end(), texts[i].begin(), texts[i].end());
      ASSERT_EQ(ToHex(frame), ToHex(Frame(&alone[i % 3 == 0 ? 1 : 0]))) << i;
    }
  }
  EXPECT_EQ(together[0].session_key, alone[0].session_key);
  EXPECT_EQ(together[1].position, alone[1].position);
}

}  // namespace
}  // namespace culvert::dataplane::mppe
