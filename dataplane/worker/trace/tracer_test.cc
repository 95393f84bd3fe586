// Traces of one call, through the rig; what is seen besides packets: stages and rings.
#include "dataplane/worker/trace/tracer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "dataplane/call/call.h"
#include "dataplane/rig/call_rig.h"

namespace culvert::dataplane {
namespace {

using ::testing::Contains;

std::vector<std::string> Names(const TracedPacket& packet) {
  std::vector<std::string> names;
  for (const TracedStep& step : packet.steps) {
    names.emplace_back(step.name);
  }
  return names;
}

class TracerTest : public ::testing::Test {
 protected:
  std::vector<TracedPacket> Take() {
    std::vector<TracedPacket> packets;
    rig_.datapath().TakeTrace(&packets, 100);
    return packets;
  }
  CallRig rig_;
};

TEST_F(TracerTest, ShowsTheWayOfAnUpstreamPacket) {
  const uint64_t handle = rig_.Program(CallRig::Spec());
  ASSERT_TRUE(rig_.datapath().StartTrace(handle, 1).ok());
  rig_.Upstream(Hex("0021") + CallRig::PacketToServer());
  rig_.Run();
  const auto packets = Take();
  ASSERT_EQ(packets.size(), 1U);
  const TracedPacket& packet = packets[0];
  EXPECT_EQ(packet.handle, handle);
  EXPECT_FALSE(packet.downstream);
  EXPECT_EQ(packet.worker, 0U);
  const auto names = Names(packet);
  EXPECT_EQ(names.front(), "ethernet_input");
  EXPECT_THAT(names, Contains("gre_input"));
  EXPECT_THAT(names, Contains("upstream_call"));
  EXPECT_THAT(names, Contains("anti_spoof"));
  EXPECT_THAT(names, Contains("route"));
  EXPECT_EQ(names.back(), "ethernet_output");
  EXPECT_STREQ(packet.steps.back().verdict, "transmit");
  EXPECT_EQ(packet.steps.back().drop_reason, nullptr);
  EXPECT_EQ(rig_.Sent(1).size(), 1U);
}

TEST_F(TracerTest, NamesTheDrop) {
  const uint64_t handle = rig_.Program(CallRig::Spec());
  ASSERT_TRUE(rig_.datapath().StartTrace(handle, 1).ok());
  Bytes packet = CallRig::PacketToServer();
  packet[8] = 1;  // TTL, and so the header checksum is wrong
  rig_.Upstream(Hex("0021") + packet);
  rig_.Run();
  const auto packets = Take();
  ASSERT_EQ(packets.size(), 1U);
  EXPECT_STREQ(packets[0].steps.back().name, "inner_ipv4");
  EXPECT_STREQ(packets[0].steps.back().verdict, "drop");
  EXPECT_STREQ(packets[0].steps.back().drop_reason, "inner_ip_checksum");
}

TEST_F(TracerTest, KeepsToItsCallAndCount) {
  const uint64_t handle = rig_.Program(CallRig::Spec());
  rig_.Program(CallRig::Spec2());
  ASSERT_TRUE(rig_.datapath().StartTrace(handle, 2).ok());
  const Bytes frame = Hex("0021") + CallRig::PacketToServer();
  for (int i = 0; i < 5; ++i) {
    rig_.Upstream(frame);
  }
  rig_.Run();
  EXPECT_EQ(rig_.Sent(1).size(), 5U);
  EXPECT_EQ(Take().size(), 2U);
  ASSERT_TRUE(rig_.datapath().StartTrace(handle, 10).ok());
  ASSERT_TRUE(rig_.datapath().StartTrace(handle, 0).ok());
  rig_.Upstream(frame);
  rig_.Run();
  EXPECT_TRUE(Take().empty());
}

// A call that says nothing is traced for long, and each step of all others is looked at.
TEST(TracerCostTest, FindsAPacketAmongManyAsSoonAsAmongFew) {
  constexpr unsigned kNumPackets = 200;
  CallRig rig;
  std::vector<rte_mbuf*> mbufs;
  Tracer tracer;
  tracer.Begin(MakeHandle(1, 1), 1);
  const auto see = [&](unsigned i) {
    tracer.See(PacketOf(mbufs[i]), Stage::kInput, 0, Verdict::Next(), 0);
  };
  const auto cost = [&](unsigned packet) {
    auto least = std::chrono::nanoseconds::max();
    for (int i = 0; i < 20; ++i) {
      const auto start = std::chrono::steady_clock::now();
      for (int n = 0; n < 1000; ++n) {
        see(packet);
      }
      least = std::min<std::chrono::nanoseconds>(least, std::chrono::steady_clock::now() - start);
    }
    return least;
  };
  for (unsigned i = 0; i < kNumPackets; ++i) {
    mbufs.push_back(rig.NewMbuf(Bytes(60)));
    ResetPacket(mbufs[i]);
    see(i);
  }
  const auto first = cost(0);
  EXPECT_LT(cost(kNumPackets - 1), 4 * first);
  for (rte_mbuf* mbuf : mbufs) {
    rte_pktmbuf_free(mbuf);
  }
}

TEST_F(TracerTest, OfAStaleCallIsRefused) {
  const uint64_t handle = rig_.Program(CallRig::Spec());
  ASSERT_TRUE(rig_.datapath().Remove(handle).ok());
  EXPECT_EQ(rig_.datapath().StartTrace(handle, 1).code(), absl::StatusCode::kNotFound);
}

TEST_F(TracerTest, StagesCountTheirPackets) {
  rig_.Program(CallRig::Spec());
  for (int i = 0; i < 3; ++i) {
    rig_.Upstream(Hex("0021") + CallRig::PacketToServer());
  }
  rig_.Run();
  const auto totals = rig_.datapath().WorkerCounters();
  uint64_t seen = 0;
  for (const StageTotal& stage : totals[0].stages) {
    if (std::string_view(stage.name) == "input" || std::string_view(stage.name) == "route") {
      EXPECT_EQ(stage.packets, 3U) << stage.name;
      EXPECT_GT(stage.cycles, 0U) << stage.name;
      ++seen;
    }
  }
  EXPECT_EQ(seen, 2U);
}

}  // namespace
}  // namespace culvert::dataplane
