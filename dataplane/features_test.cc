// What only some calls have: keepalive, policers, idle time-out and quota, the peer's window.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <thread>

#include "dataplane/rig/call_rig.h"

namespace culvert::dataplane {
namespace {

const Bytes kIpv4Frame = Hex("ff03 0021");
using Kind = CallEvent::Kind;

class FeaturesTest : public ::testing::Test {
 protected:
  uint64_t Program() { return handle_ = rig_.Program(spec_); }
  // Until runs the worker until `done`, for at most 10 s; false: it never was.
  bool Until(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (std::chrono::steady_clock::now() < end) {
      if (done()) {
        return true;
      }
      rig_.Run();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }
  std::vector<CallEvent> Events() {
    std::vector<CallEvent> events;
    rig_.datapath().TakeEvents(&events, 100);
    return events;
  }
  // Frames to the client, without acknowledgements.
  std::vector<Bytes> ToClient() {
    rig_.Run();
    std::vector<Bytes> frames;
    for (const Bytes& frame : rig_.Sent(0)) {
      TunnelPacket packet = ParseTunnel(frame);
      if (packet.gre.has_sequence) {
        frames.push_back(std::move(packet.ppp));
      }
    }
    return frames;
  }

  CallRig rig_;
  CallSpec spec_ = CallRig::Spec();
  uint64_t handle_ = 0;
};

// RFC 1661 s5.8.
TEST_F(FeaturesTest, EchoRequestIsAnswered) {
  spec_.keepalive.enabled = true;
  spec_.keepalive.magic = 0x11223344;
  Program();
  rig_.Upstream(Hex("ff03 c021 0907 000c aabbccdd 01020304 9999"));  // padded
  rig_.Upstream(Hex("c021 0908 0008 00000000"));
  EXPECT_EQ(ToClient(), (std::vector<Bytes>{Hex("ff03 c021 0a07 000c 11223344 01020304"),
                                            Hex("ff03 c021 0a08 0008 11223344")}));
  EXPECT_TRUE(rig_.PuntedFrames().empty());
  EXPECT_EQ(rig_.TotalDrops(), 0u);
}

TEST_F(FeaturesTest, OtherFramesStillGoToTheControlPlane) {
  spec_.keepalive.enabled = true;
  spec_.keepalive.magic = 1;
  Program();
  const char* frames[] = {"c021 0101 0004", "c021 0901 0007 000000", "c021 0901 0020 00000000",
                          "8021 0901 0008 00000000", "c021 09"};
  for (const char* frame : frames) {
    rig_.Upstream(Hex(frame));
  }
  EXPECT_TRUE(ToClient().empty());
  EXPECT_EQ(rig_.PuntedFrames().size(), std::size(frames));
}

TEST_F(FeaturesTest, LoopedBackEchoIsDropped) {
  spec_.keepalive.enabled = true;
  spec_.keepalive.magic = 0x11223344;
  Program();
  rig_.Upstream(Hex("c021 0901 0008 11223344"));
  rig_.Upstream(Hex("c021 0a01 0008 11223344"));
  EXPECT_TRUE(ToClient().empty());
  EXPECT_EQ(rig_.Drops("echo_looped_back"), 2u);
}

TEST_F(FeaturesTest, EchoesAreRateLimited) {
  spec_.keepalive.enabled = true;
  Program();
  for (int i = 0; i < 250; ++i) {
    rig_.Upstream(Hex("c021 0901 0008 00000000"));
  }
  const size_t answered = ToClient().size();
  EXPECT_GE(answered, 200u);
  EXPECT_EQ(answered + rig_.Drops("punt_rate"), 250u);
}

TEST_F(FeaturesTest, SilentPeerIsAskedAndThenDead) {
  spec_.keepalive = {true, 1, 2, 0x11223344, 0};
  Program();
  std::vector<Bytes> sent;
  std::vector<CallEvent> events;
  ASSERT_TRUE(Until([&] {
    for (Bytes& frame : ToClient()) {
      sent.push_back(std::move(frame));
    }
    events = Events();
    return !events.empty();
  }));
  EXPECT_EQ(events[0].kind, Kind::kDead);
  EXPECT_EQ(events[0].handle, handle_);
  EXPECT_EQ(sent, (std::vector<Bytes>{Hex("ff03 c021 0901 0008 11223344"),
                                      Hex("ff03 c021 0902 0008 11223344")}));
}

TEST_F(FeaturesTest, ReplyKeepsTheCallAlive) {
  spec_.keepalive = {true, 1, 1, 0x11223344, 0};
  Program();
  unsigned answered = 0;
  ASSERT_TRUE(Until([&] {
    for (const Bytes& frame : ToClient()) {
      Bytes reply = frame;
      reply[4] = 0x0a;
      std::copy_n(Hex("55667788").begin(), 4, reply.begin() + 8);
      rig_.Upstream(reply);
      ++answered;
    }
    return answered == 3;
  }));
  rig_.Run();
  EXPECT_TRUE(Events().empty());
  EXPECT_TRUE(rig_.PuntedFrames().empty());
}

TEST_F(FeaturesTest, IdleOnce) {
  spec_.idle_timeout_s = 1;
  Program();
  std::vector<CallEvent> events;
  ASSERT_TRUE(Until([&] {
    events = Events();
    return !events.empty();
  }));
  EXPECT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, Kind::kIdle);
  EXPECT_EQ(events[0].handle, handle_);
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(2500);
  Until([&] { return std::chrono::steady_clock::now() > end; });
  EXPECT_TRUE(Events().empty());
}

TEST_F(FeaturesTest, QuotaOnceAndAgainAfterAnother) {
  const Bytes packet = CallRig::PacketToServer();
  spec_.octet_quota = 3 * packet.size();
  Program();
  rig_.Upstream(kIpv4Frame + packet);
  rig_.Upstream(kIpv4Frame + packet);
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(1500);
  Until([&] { return std::chrono::steady_clock::now() > end; });
  EXPECT_TRUE(Events().empty());
  rig_.ReceiveIpv4(1, CallRig::PacketToClient());
  std::vector<CallEvent> events;
  const auto quota = [&] {
    events = Events();
    return !events.empty();
  };
  ASSERT_TRUE(Until(quota));
  EXPECT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, Kind::kQuota);
  spec_.octet_quota += packet.size();
  Program();
  rig_.Upstream(kIpv4Frame + packet);
  ASSERT_TRUE(Until(quota));
  EXPECT_EQ(events.size(), 1u);
}

TEST_F(FeaturesTest, RemovedCallIsNotVisited) {
  spec_.idle_timeout_s = 1;
  Program();
  ASSERT_TRUE(rig_.datapath().Remove(handle_).ok());
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(2500);
  Until([&] { return std::chrono::steady_clock::now() > end; });
  EXPECT_TRUE(Events().empty());
}

// A committed rate so small that only the bursts count.
TEST_F(FeaturesTest, SingleRatePolicersOfEachDirection) {
  const Bytes packet = CallRig::PacketToServer(80);
  ASSERT_EQ(packet.size(), 100u);
  spec_.upstream_policer = {8, 0, 300, 200};
  Program();
  for (int i = 0; i < 8; ++i) {
    rig_.Upstream(kIpv4Frame + packet);
    rig_.ReceiveIpv4(1, CallRig::PacketToClient(80));
  }
  rig_.Run();
  EXPECT_EQ(rig_.Sent(1).size(), 5u);
  EXPECT_EQ(rig_.Sent(0).size(), 8u);
  EXPECT_EQ(rig_.Drops("policed_upstream"), 3u);
  spec_.upstream_policer = {};
  spec_.downstream_policer = {8, 0, 200, 0};
  Program();
  for (int i = 0; i < 8; ++i) {
    rig_.Upstream(kIpv4Frame + packet);
    rig_.ReceiveIpv4(1, CallRig::PacketToClient(80));
  }
  rig_.Run();
  EXPECT_EQ(rig_.Sent(1).size(), 8u);
  EXPECT_EQ(ToClient().size(), 2u);
  EXPECT_EQ(rig_.Drops("policed_downstream"), 6u);
}

TEST_F(FeaturesTest, TwoRatePolicer) {
  spec_.upstream_policer = {8, 16, 100, 400};
  Program();
  for (int i = 0; i < 8; ++i) {
    rig_.Upstream(kIpv4Frame + CallRig::PacketToServer(80));
  }
  rig_.Run();
  EXPECT_EQ(rig_.Sent(1).size(), 4u);  // those beyond the peak rate are red
  EXPECT_EQ(rig_.Drops("policed_upstream"), 4u);
}

TEST_F(FeaturesTest, PolicerKeepsItsBucketUntilItsLimitsChange) {
  const auto send = [this] {
    for (int i = 0; i < 4; ++i) {
      rig_.Upstream(kIpv4Frame + CallRig::PacketToServer(80));
    }
    rig_.Run();
    return rig_.Sent(1).size();
  };
  spec_.upstream_policer = {8, 0, 200, 0};
  Program();
  EXPECT_EQ(send(), 2u);
  spec_.mtu = 1200;
  Program();
  EXPECT_EQ(send(), 0u);
  spec_.upstream_policer.committed_burst = 300;
  Program();
  EXPECT_EQ(send(), 3u);
}

// Limits come, change and go while packets flow, in clear and through MPPE; none is lost for it.
TEST_F(FeaturesTest, PolicersChangeUnderTraffic) {
  constexpr PolicerSpec kWide = {1'000'000'000, 0, 10'000'000, 0};
  constexpr PolicerSpec kWider = {1'000'000'000, 2'000'000'000, 10'000'000, 20'000'000};
  constexpr int kBurst = 32;  // a full one: packets wait in MPPE while the limits change
  for (const bool encrypts : {false, true}) {
    if (encrypts) {
      spec_.send = MppeKeySpec{.bits = 128, .epoch = 1};
    }
    for (int i = 0; i < 30; ++i) {
      const PolicerSpec limits = i % 3 == 0 ? PolicerSpec{} : i % 3 == 1 ? kWide : kWider;
      spec_.downstream_policer = spec_.upstream_policer = limits;
      Program();
      for (int n = 0; n < kBurst; ++n) {
        rig_.ReceiveIpv4(1, CallRig::PacketToClient());
      }
      if (!encrypts) {
        rig_.Upstream(kIpv4Frame + CallRig::PacketToServer());
      }
      rig_.datapath().RunWorkerOnce(0);
    }
    EXPECT_EQ(ToClient().size(), 30u * kBurst);
    EXPECT_EQ(rig_.Sent(1).size(), encrypts ? 0u : 30u);
  }
  EXPECT_EQ(rig_.TotalDrops(), 0u);
}

TEST_F(FeaturesTest, PolicerLetsTheCommittedRateThrough) {
  spec_.upstream_policer = {8'000'000, 0, 1000, 0};  // 1000 octets a millisecond
  Program();
  size_t let_through = 0;
  const auto start = std::chrono::steady_clock::now();
  auto now = start;
  while (now < start + std::chrono::milliseconds(200)) {
    for (int i = 0; i < 20; ++i) {
      rig_.Upstream(kIpv4Frame + CallRig::PacketToServer(480));
    }
    rig_.Run();
    rig_.Sent(0);
    let_through += 500 * rig_.Sent(1).size();
    now = std::chrono::steady_clock::now();
  }
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - start).count();
  EXPECT_LE(let_through, 1000u * static_cast<size_t>(ms + 2));
  EXPECT_GT(rig_.Drops("policed_upstream"), 0u);
}

// RFC 2637 s4.2.
TEST_F(FeaturesTest, PeersWindowIsHonoured) {
  spec_.peer_window = 8;
  Program();
  const auto send = [this](int num) {
    for (int i = 0; i < num; ++i) {
      rig_.ReceiveIpv4(1, CallRig::PacketToClient());
    }
    return ToClient().size();
  };
  EXPECT_EQ(send(6), 4u);
  EXPECT_EQ(rig_.Drops("send_window"), 2u);
  // An acknowledgement alone: of the third, then of all.
  rig_.ReceiveIpv4(0, MakeIpv4({kPeer, kLocal, 47}, Hex("2081880b 0000 2961 00000002")));
  EXPECT_EQ(send(6), 3u);
  rig_.ReceiveIpv4(0, MakeIpv4({kPeer, kLocal, 47}, Hex("2081880b 0000 2961 00000006")));
  EXPECT_EQ(send(6), 5u);
  // Control frames are not held back.
  ASSERT_TRUE(rig_.datapath().SendFrame(handle_, Hex("c021 0101 0004")));
  EXPECT_EQ(ToClient().size(), 1u);
}

TEST_F(FeaturesTest, SilentPeersWindowOpensAfterTheTimeOut) {
  spec_.peer_window = 64;
  Program();
  for (int i = 0; i < 40; ++i) {
    rig_.ReceiveIpv4(1, CallRig::PacketToClient());
  }
  EXPECT_EQ(ToClient().size(), 32u);
  std::this_thread::sleep_for(std::chrono::milliseconds(110));
  for (int i = 0; i < 40; ++i) {
    rig_.ReceiveIpv4(1, CallRig::PacketToClient());
  }
  EXPECT_EQ(ToClient().size(), 16u);
}

}  // namespace
}  // namespace culvert::dataplane
