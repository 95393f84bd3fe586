// Encrypted calls on a bad path: losses, late, doubled and forged packets, through the real loop.
#include <gtest/gtest.h>
#include <unistd.h>

#include <random>

#include "dataplane/rig/call_rig.h"
#include "dataplane/rig/mppe_peer.h"
#include "proto/wire/ppp.h"

namespace culvert::dataplane {
namespace {

constexpr uint16_t kOwnCount = 0x0fff;

class MppeLossTest : public ::testing::Test {
 protected:
  explicit MppeLossTest(bool stateful = false) {
    spec_.receive.emplace();
    spec_.receive->bits = 128;
    spec_.receive->start_key = {9, 8, 7};
    spec_.receive->stateful = stateful;
    spec_.send = spec_.receive;
    spec_.require_encryption = true;
    spec_.reorder.packets = 0;  // what comes late is lost
    handle_ = rig_.Program(spec_);
    client_ = std::make_unique<MppePeer>(*spec_.receive);
    server_side_ = std::make_unique<MppePeer>(*spec_.send);
  }

  void At(uint32_t sequence, const Bytes& ppp) {
    rig_.UpstreamAt(sequence, ppp);
    rig_.Run();
    delivered_ += rig_.Sent(1).size();
  }
  void Next(const Bytes& ppp) { At(sequence_++, ppp); }
  void Data() { Next(client_->Send(CallRig::PacketToServer())); }
  // Lose loses data frames, one in 50 with a control frame before it.
  void Lose(uint32_t frames) {
    client_->Skip(frames);
    sequence_ += frames + frames / 50;
  }
  void Control() { Next(Hex("ff03 c021 0901 0008 00000000")); }
  // Garbage is a forged frame with a count `ahead` of the client's next.
  static Bytes Garbage(uint16_t count, uint8_t seed) {
    Bytes ppp = Hex("ff03 00fd 0000") + Bytes(60, seed);
    wire::StoreBe16(&ppp[4], static_cast<uint16_t>(0x9000 | (count & kOwnCount)));
    return ppp;
  }
  // Recovers: after at most `most` further packets all are delivered.
  void ExpectRecovery(unsigned most) {
    for (unsigned i = 0; i < most; ++i) {
      Data();
    }
    const size_t before = delivered_;
    for (int i = 0; i < 20; ++i) {
      Data();
    }
    EXPECT_EQ(delivered_, before + 20);
  }

  CallRig rig_;
  CallSpec spec_ = CallRig::Spec();
  uint64_t handle_ = 0;
  std::unique_ptr<MppePeer> client_, server_side_;
  uint32_t sequence_ = 5;
  size_t delivered_ = 0;
};

class MppeLossesTest : public MppeLossTest, public ::testing::WithParamInterface<uint32_t> {};

TEST_P(MppeLossesTest, RecoversAndLosesNoMoreThanTheNumbersNeed) {
  Data();
  Control();
  Lose(GetParam());
  // A jump of more than 1024 numbers is believed after eight packets.
  const unsigned unbelieved = GetParam() >= 1024 ? 7 : 0;
  ExpectRecovery(unbelieved);
  EXPECT_EQ(delivered_, 21u);
  EXPECT_EQ(rig_.Drops("sequence_jump"), unbelieved);
  EXPECT_EQ(rig_.TotalDrops(), unbelieved);
}
INSTANTIATE_TEST_SUITE_P(Losses, MppeLossesTest,
                         ::testing::Values(1, 2, 96, 97, 98, 255, 900, 2048, 4095, 4096, 4097,
                                           10000, 16000));

// While the keys of a long loss are made, in rounds, the call's other frames wait, and other calls
// go on.
TEST_F(MppeLossTest, LongCatchUpIsSliced) {
  CallSpec other = CallRig::Spec2();
  rig_.Program(other);
  Data();
  Lose(16000);
  for (int i = 0; i < 8; ++i) {
    rig_.UpstreamAt(sequence_++, client_->Send(CallRig::PacketToServer()));
  }
  unsigned rounds = 0;
  for (; rig_.Sent(1).empty(); ++rounds) {
    ASSERT_LT(rounds, 1000u);
    rig_.ReceiveIpv4(1, MakeIpv4({kServer, kClient2}, Bytes(32)));
    rig_.datapath().RunWorkerOnce(0);
    ASSERT_GE(rig_.Sent(0).size(), 1u) << "the other call";
  }
  EXPECT_GE(rounds, 16000u / 64);
  ExpectRecovery(0);
}

TEST_F(MppeLossTest, HeldFramesOfARemovedCallEndByName) {
  Data();
  Lose(900);
  rig_.UpstreamAt(sequence_++, client_->Send(CallRig::PacketToServer()));
  rig_.datapath().RunWorkerOnce(0);
  ASSERT_TRUE(rig_.datapath().Remove(handle_).ok());
  rig_.Run();
  EXPECT_EQ(rig_.Drops("call_stale"), 1u);
}

// Whoever knows the numbers but not the keys.
TEST_F(MppeLossTest, ForgedNumbersAndCountsDisturbNobody) {
  Data();
  uint16_t count = 1;
  for (int i = 0; i < 40; ++i) {
    const uint32_t ahead = 1 + static_cast<uint32_t>(i) * 20;
    rig_.UpstreamAt(sequence_ + ahead, Garbage(static_cast<uint16_t>(count + ahead), 7));
    rig_.UpstreamAt(sequence_, client_->Send(CallRig::PacketToServer()));
    rig_.datapath().RunWorkerOnce(0);
    ++sequence_;
    ++count;
  }
  rig_.Run();
  delivered_ += rig_.Sent(1).size();
  EXPECT_GE(delivered_, 2u);
  ExpectRecovery(1);
  EXPECT_GT(rig_.Drops("mppe_implausible"), 0u);
}

TEST_F(MppeLossTest, ReportsACallThatStaysUndecryptable) {
  Data();
  for (int i = 0; i < 999; ++i) {
    Next(Garbage(4000, 6));
  }
  std::vector<CallEvent> events;
  EXPECT_EQ(rig_.datapath().TakeEvents(&events, 10), 0u);
  Next(Garbage(4000, 6));
  rig_.datapath().TakeEvents(&events, 10);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, CallEvent::Kind::kMppeFailed);
  EXPECT_EQ(events[0].handle, handle_);
  Data();
  EXPECT_EQ(delivered_, 2u);
}

// What is dropped after it got its count is lost for the peer as well, which follows 1000 at most.
TEST_F(MppeLossTest, CountsDoNotRunAwayWhileNothingCanLeave) {
  const auto count = [this]() -> int {
    rig_.ReceiveIpv4(1, CallRig::PacketToClient());
    rig_.Run();
    const auto sent = rig_.Sent(0);
    return sent.empty() ? -1 : wire::LoadBe16(&ParseTunnel(sent[0]).ppp[4]) & kOwnCount;
  };
  EXPECT_EQ(count(), 0);
  const RouteTarget nowhere{RouteTarget::Kind::kBlackhole, 0, 0};
  ASSERT_TRUE(rig_.datapath().SetRoute(Ip(10, 99, 0, 0), 24, nowhere).ok());
  for (int i = 0; i < 3000; ++i) {
    EXPECT_EQ(count(), -1);
  }
  EXPECT_GT(rig_.Drops("mppe_cannot_leave"), 2000u);
  ASSERT_TRUE(
      rig_.datapath().SetRoute(Ip(10, 99, 0, 0), 24, {RouteTarget::Kind::kAdjacency, 0, 0}).ok());
  int next = -1;
  for (int i = 0; next < 0 && i < 3000; ++i) {
    usleep(1000);
    next = count();
  }
  EXPECT_GT(next, 499);
  EXPECT_LT(next, 600);
  usleep(2000);
  EXPECT_EQ(count(), next + 1);
}

TEST_F(MppeLossTest, DoubledLateAndClearFramesEndByName) {
  Data();
  const Bytes frame = client_->Send(CallRig::PacketToServer());
  Next(frame);
  At(sequence_ - 1, frame);
  EXPECT_EQ(rig_.Drops("sequence_duplicate"), 1u);
  At(sequence_ - 2, frame);
  EXPECT_EQ(rig_.Drops("sequence_late"), 1u);
  Next(frame);  // with a number of its own
  EXPECT_EQ(rig_.Drops("mppe_late"), 1u);
  Next(Hex("ff03 0021") + CallRig::PacketToServer());
  EXPECT_EQ(rig_.Drops("clear_data"), 1u);
  Next(Garbage(500, 1));
  EXPECT_EQ(rig_.Drops("mppe_count"), 1u);
  Next(Hex("ff03 00fd 8001 0000"));
  EXPECT_EQ(rig_.Drops("mppe_not_encrypted"), 1u);
  Next(Hex("ff03 00fd 1001 0000"));
  EXPECT_EQ(rig_.Drops("mppe_not_flushed"), 1u);
  EXPECT_EQ(delivered_, 2u);
  ExpectRecovery(0);
}

// Everything at random, many times over; the call is alive in the end.
class MppeRandomTest : public MppeLossTest, public ::testing::WithParamInterface<unsigned> {};

TEST_P(MppeRandomTest, CallSurvives) {
  std::mt19937 random(GetParam());
  Data();
  uint32_t lost_in_all = 0;
  for (int i = 0; i < 400; ++i) {
    switch (random() % 8) {
      case 0: {
        const uint32_t lost = random() % (random() % 20 == 0 ? 1000 : 5);
        if (lost_in_all + lost < 8000) {
          lost_in_all += lost;
          Lose(lost);
        }
        break;
      }
      case 1:
        Control();
        break;
      case 2:
        At(sequence_ + random() % 300, Garbage(static_cast<uint16_t>(random()), 3));
        break;
      case 3:
        At(sequence_ - 1 - random() % 5, Garbage(static_cast<uint16_t>(random()), 4));
        break;
      case 4:
        Next(Garbage(static_cast<uint16_t>(random()), 5));
        break;
      default:
        Data();
    }
  }
  ExpectRecovery(10);
}
INSTANTIATE_TEST_SUITE_P(Seeds, MppeRandomTest, ::testing::Range(1U, 21U));

class MppeStatefulTest : public MppeLossTest {
 protected:
  MppeStatefulTest() : MppeLossTest(true) {}

  // Reply gives the PPP frame of a packet to the client.
  Bytes Reply() {
    rig_.ReceiveIpv4(1, CallRig::PacketToClient());
    rig_.Run();
    const auto sent = rig_.Sent(0);
    return sent.empty() ? Bytes() : ParseTunnel(sent.back()).ppp;
  }
};

TEST_F(MppeStatefulTest, BothDirectionsThroughTheWrap) {
  for (int i = 0; i < 4500; ++i) {
    Data();
    ASSERT_TRUE(server_side_->Receive(Reply()).has_value()) << i;
  }
  EXPECT_EQ(delivered_, 4500u);
  EXPECT_EQ(rig_.TotalDrops(), 0u);
}

TEST_F(MppeStatefulTest, LossIsAskedForAndMended) {
  for (const uint32_t lost : {1U, 300U, 5000U}) {
    Data();
    Lose(lost);
    size_t before = delivered_;
    rig_.Sent(0);
    for (int i = 0; i < 12; ++i) {
      Data();
    }
    EXPECT_EQ(delivered_, before);
    Bytes request;
    for (const Bytes& frame : rig_.Sent(0)) {
      if (const TunnelPacket packet = ParseTunnel(frame); !packet.ppp.empty()) {
        EXPECT_TRUE(request.empty()) << "one is enough";
        request = packet.ppp;
      }
    }
    ASSERT_EQ(request.size(), 8u);
    EXPECT_EQ(Bytes(request.begin(), request.begin() + 5), Hex("ff03 80fd 0e"));
    Next(Hex("ff03 80fd 0f") + Bytes(1, request[5]) + Hex("0004"));
    client_->FlushNext();
    before = delivered_;
    for (int i = 0; i < 300; ++i) {
      Data();
    }
    EXPECT_EQ(delivered_, before + 300);
  }
  EXPECT_GT(rig_.Drops("mppe_out_of_step"), 0u);
  EXPECT_TRUE(rig_.PuntedFrames().empty());
}

TEST_F(MppeStatefulTest, AnswersResetRequests) {
  ASSERT_TRUE(server_side_->Receive(Reply()).has_value());
  Reply();
  ASSERT_FALSE(server_side_->Receive(Reply()).has_value());
  Next(Hex("ff03 80fd 0e77 0004"));
  const auto sent = rig_.Sent(0);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(ParseTunnel(sent[0]).ppp, Hex("ff03 80fd 0f77 0004"));
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(server_side_->Receive(Reply()).has_value()) << i;
  }
  EXPECT_TRUE(rig_.PuntedFrames().empty());
  // All else of CCP is the control plane's.
  Next(Hex("ff03 80fd 0501 0004"));
  EXPECT_EQ(rig_.PuntedFrames().size(), 1u);
}

}  // namespace
}  // namespace culvert::dataplane
