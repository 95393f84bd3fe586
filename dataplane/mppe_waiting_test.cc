// Packets that wait for others to go through MPPE with them: a round at most, and never longer than
// their call is there.
#include <gtest/gtest.h>

#include "dataplane/rig/call_rig.h"
#include "dataplane/rig/mppe_peer.h"

namespace culvert::dataplane {
namespace {

constexpr unsigned kBurstLen = 32;

class WaitingTest : public ::testing::Test {
 protected:
  WaitingTest() {
    spec_.receive.emplace();
    spec_.receive->bits = 128;
    spec_.receive->start_key = {9, 8, 7};
    spec_.require_encryption = true;
    handle_ = rig_.Program(spec_);
    client_ = std::make_unique<MppePeer>(*spec_.receive);
  }
  void Data(unsigned num) {
    for (unsigned i = 0; i < num; ++i) {
      rig_.Upstream(client_->Send(CallRig::PacketToServer()));
    }
  }
  void Control(unsigned num) {
    for (unsigned i = 0; i < num; ++i) {
      rig_.Upstream(Hex("ff03 c021 0901 0008 00000000"));
    }
  }
  // Round gives how many packets reached the server's port.
  size_t Round() {
    rig_.datapath().RunWorkerOnce(0);
    return rig_.Sent(1).size();
  }

  CallRig rig_;
  CallSpec spec_ = CallRig::Spec();
  uint64_t handle_ = 0;
  std::unique_ptr<MppePeer> client_;
};

TEST_F(WaitingTest, GoWithTheNextBurst) {
  Control(3);
  Data(kBurstLen - 3 + 4);
  EXPECT_EQ(Round(), 24u);     // three times eight; five wait
  EXPECT_EQ(Round(), 5u + 4);  // a short burst: nothing is left to wait for
  EXPECT_EQ(Round(), 0u);
}

TEST_F(WaitingTest, NoLongerThanARound) {
  Control(3);
  Data(kBurstLen - 3);
  Control(2 * kBurstLen);
  EXPECT_EQ(Round(), 24u);
  EXPECT_EQ(Round(), 5u);  // a full burst, but nothing encrypted in it
}

TEST_F(WaitingTest, LessThanEightGoWithTheNextBurst) {
  Control(kBurstLen - 3);
  Data(3);
  EXPECT_EQ(Round(), 0u);
  EXPECT_EQ(Round(), 3u);
}

TEST_F(WaitingTest, NotBeyondTheirCall) {
  Control(3);
  Data(kBurstLen - 3);
  EXPECT_EQ(Round(), 24u);
  ASSERT_TRUE(rig_.datapath().Remove(handle_).ok());
  EXPECT_EQ(rig_.Sent(1).size(), 5u);
}

// A forged frame has its number given back while frames after it wait: what follows those must not
// seem to be out of order any longer than they wait.
TEST_F(WaitingTest, ForgedFramesAmongThemDelayNothing) {
  spec_.reorder.delay_ms = 100;
  rig_.Program(spec_);
  Control(3);
  Data(20);
  rig_.Upstream(Hex("ff03 00fd 9fff aabbccddeeff0011"));
  Data(8);
  EXPECT_EQ(Round(), 23u);
  EXPECT_EQ(rig_.Drops("mppe_late"), 1u);
  Data(1);
  EXPECT_EQ(Round(), 5u + 1);
  EXPECT_EQ(rig_.TotalDrops(), 1u);
}

// RFC 2637 s4.2: what waits has its room in the peer's window.
TEST_F(WaitingTest, TheyTakeRoomInThePeersWindow) {
  spec_.send = spec_.receive;
  spec_.peer_window = 40;  // half of it at first
  rig_.Program(spec_);
  const auto burst = [this](unsigned num) {
    for (unsigned i = 0; i < kBurstLen; ++i) {
      if (i < num) {
        rig_.ReceiveIpv4(1, CallRig::PacketToClient());
      } else {
        rig_.Receive(1, Bytes(60));  // for somebody else
      }
    }
    rig_.datapath().RunWorkerOnce(0);
  };
  burst(13);
  EXPECT_EQ(rig_.Sent(0).size(), 8u);
  burst(20);
  rig_.Run();
  EXPECT_EQ(rig_.Sent(0).size(), 12u);
  EXPECT_EQ(rig_.Drops("send_window"), 13u);
}

// The rig finds mbufs that were not freed.
TEST_F(WaitingTest, EndWithTheWorker) {
  Control(3);
  Data(kBurstLen - 3);
  EXPECT_EQ(Round(), 24u);
}

}  // namespace
}  // namespace culvert::dataplane
