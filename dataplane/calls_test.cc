// Calls and routes as the control side sees them, with and without running workers.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "dataplane/rig/call_rig.h"

namespace culvert::dataplane {
namespace {

const Bytes kIpv4Frame = Hex("ff03 0021");

TEST(CallsTest, UpsertIsIdempotentAndRefusesStrangers) {
  CallRig rig;
  Datapath& path = rig.datapath();
  CallSpec spec = CallRig::Spec();
  spec.record = "opaque";
  const uint64_t handle = rig.Program(spec);
  EXPECT_EQ(rig.Program(spec), handle);
  ASSERT_EQ(path.List().size(), 1u);
  EXPECT_EQ(path.List()[0].spec.record, "opaque");
  EXPECT_EQ(path.List()[0].spec.handle, handle);
  CallSpec stranger = spec;
  stranger.peer_address = kPeer2;
  EXPECT_EQ(path.Upsert(stranger).status().code(), absl::StatusCode::kAlreadyExists);
  CallSpec same_address = CallRig::Spec2();
  same_address.client_address = kClient;
  EXPECT_EQ(path.Upsert(same_address).status().code(), absl::StatusCode::kAlreadyExists);
  spec.handle = handle;
  EXPECT_EQ(*path.Upsert(spec), handle);
  ASSERT_TRUE(path.Remove(handle).ok());
  EXPECT_EQ(path.Upsert(spec).status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(path.Remove(handle).ok());
  spec.handle = 0;
  EXPECT_NE(rig.Program(spec), handle);
}

TEST(CallsTest, BadValuesNameTheField) {
  CallRig rig;
  const auto expect = [&rig](const CallSpec& spec, const char* field) {
    const auto status = rig.datapath().Upsert(spec).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(std::string(status.message()).rfind(field, 0), 0u) << status.ToString();
  };
  CallSpec spec = CallRig::Spec();
  spec.local_address = 0;
  expect(spec, "local_address");
  spec = CallRig::Spec();
  spec.peer_address = 0;
  expect(spec, "peer_address");
  spec = CallRig::Spec();
  spec.call_id = 0;
  expect(spec, "call_id");
  spec = CallRig::Spec();
  spec.receive.emplace();
  spec.receive->bits = 64;
  expect(spec, "receive.bits");
  spec = CallRig::Spec();
  spec.peer_mru = 60;
  expect(spec, "peer_mru");
  spec = CallRig::Spec();
  spec.mtu = 60;
  expect(spec, "mtu");
  spec = CallRig::Spec();
  spec.receive_window = 0;
  expect(spec, "receive_window");
  spec = CallRig::Spec();
  spec.record = std::string(1025, 'x');
  expect(spec, "record");
  EXPECT_TRUE(rig.datapath().List().empty());
}

TEST(CallsTest, LocalAddressesAreLimited) {
  CallRig rig;  // 4
  CallSpec spec = CallRig::Spec();
  spec.client_address = 0;
  std::vector<uint64_t> handles;
  for (uint32_t i = 0; i < 4; ++i) {
    spec.local_address = kLocal + i;
    handles.push_back(rig.Program(spec));
  }
  spec.local_address = kLocal + 4;
  EXPECT_EQ(rig.datapath().Upsert(spec).status().code(), absl::StatusCode::kResourceExhausted);
  ASSERT_TRUE(rig.datapath().Remove(handles[1]).ok());
  rig.Program(spec);
}

TEST(CallsTest, RemoveGivesTotalsAndEndsTheTraffic) {
  CallRig rig;
  const uint64_t handle = rig.Program(CallRig::Spec());
  rig.Upstream(kIpv4Frame + CallRig::PacketToServer());
  rig.Upstream(kIpv4Frame + Bytes(3));
  rig.Run();
  const auto totals = rig.datapath().Remove(handle);
  ASSERT_TRUE(totals.ok());
  EXPECT_EQ(totals->upstream_packets, 1u);
  EXPECT_EQ(totals->upstream_drops, 1u);
  rig.Upstream(kIpv4Frame + CallRig::PacketToServer());
  rig.ReceiveIpv4(1, CallRig::PacketToClient());
  rig.Run();
  EXPECT_EQ(rig.Drops("call_unknown"), 1u);
  EXPECT_EQ(rig.Drops("no_client"), 1u);
  EXPECT_EQ(rig.datapath().Remove(handle)->upstream_packets, 0u);
}

TEST(CallsTest, SameEpochKeepsTheKeysRunning) {
  CallRig rig;
  CallSpec spec = CallRig::Spec();
  spec.send.emplace();
  spec.send->bits = 128;
  spec.send->epoch = 1;
  rig.Program(spec);
  const auto count = [&rig] {
    rig.ReceiveIpv4(1, CallRig::PacketToClient());
    rig.Run();
    return wire::LoadBe16(&ParseTunnel(rig.Sent(0)[0]).ppp[4]);
  };
  EXPECT_EQ(count(), 0x9000);
  rig.Program(spec);
  EXPECT_EQ(count(), 0x9001);
  spec.send->epoch = 2;
  rig.Program(spec);
  EXPECT_EQ(count(), 0x9000);
  EXPECT_EQ(rig.datapath().List()[0].spec.send->start_key, (std::array<uint8_t, 16>{}));
}

TEST(RoutesTest, CallAndKernelRouteOfOneAddressLiveTogether) {
  CallRig rig;
  Datapath& path = rig.datapath();
  const uint64_t handle = rig.Program(CallRig::Spec());
  ASSERT_TRUE(path.SetRoute(kClient, 32, {RouteTarget::Kind::kBlackhole, 0, 0}).ok());
  rig.ReceiveIpv4(1, CallRig::PacketToClient());
  rig.Run();
  EXPECT_EQ(rig.Sent(0).size(), 1u);
  ASSERT_TRUE(path.Remove(handle).ok());
  rig.ReceiveIpv4(1, CallRig::PacketToClient());
  rig.Run();
  EXPECT_EQ(rig.Drops("blackhole"), 1u);
  rig.Program(CallRig::Spec());
  ASSERT_TRUE(path.RemoveRoute(kClient, 32).ok());
  rig.ReceiveIpv4(1, CallRig::PacketToClient());
  rig.Run();
  EXPECT_EQ(rig.Sent(0).size(), 1u);
}

// A call is found whichever way the kernel routes its address at the moment.
TEST(RoutesTest, CallsAreFoundWhereverTheClientsNetworksAre) {
  CallRig rig;
  Datapath& path = rig.datapath();
  CallSpec stray = CallRig::Spec2();  // in no network of the clients
  stray.client_address = Ip(203, 0, 113, 9);
  const uint64_t stray_handle = rig.Program(stray);
  rig.Program(CallRig::Spec());
  const auto reaches = [&rig](uint32_t client) {
    rig.ReceiveIpv4(1, MakeIpv4({kServer, client}, Bytes(8)));
    rig.Run();
    return rig.Sent(0).size() == 1;
  };
  const RouteTarget clients{RouteTarget::Kind::kClients, 0, 0};
  EXPECT_TRUE(reaches(kClient) && reaches(stray.client_address));
  ASSERT_TRUE(path.RemoveRoute(Ip(10, 77, 0, 0), 24).ok());  // now under the default route
  EXPECT_TRUE(reaches(kClient));
  EXPECT_FALSE(reaches(kClient2));
  ASSERT_TRUE(path.SetRoute(Ip(10, 77, 0, 0), 16, clients).ok());
  EXPECT_TRUE(reaches(kClient));
  ASSERT_TRUE(path.SetRoute(kClient & ~7U, 29, {RouteTarget::Kind::kBlackhole, 0, 0}).ok());
  EXPECT_TRUE(reaches(kClient));
  ASSERT_TRUE(path.SetRoute(kClient, 32, {RouteTarget::Kind::kLocal, 0, 0}).ok());
  EXPECT_FALSE(reaches(kClient));
  EXPECT_EQ(rig.PuntedToPort(1).size(), 1u);
  ASSERT_TRUE(path.RemoveRoute(kClient, 32).ok());
  EXPECT_TRUE(reaches(kClient));
  ASSERT_TRUE(path.SetRoute(0, 0, clients).ok());
  EXPECT_TRUE(reaches(kClient) && reaches(stray.client_address));
  ASSERT_TRUE(path.RemoveRoute(0, 0).ok());
  EXPECT_TRUE(reaches(kClient) && reaches(stray.client_address));
  ASSERT_TRUE(path.Remove(stray_handle).ok());
  EXPECT_FALSE(reaches(stray.client_address));
  EXPECT_EQ(rig.Drops("no_route"), 1u);
}

TEST(RoutesTest, LongerPrefixTakesHostsOffLink) {
  CallRig rig;
  Datapath& path = rig.datapath();
  const uint32_t host = Ip(198, 51, 100, 130);
  path.SetNeighbour(1, host, {2, 2, 2, 2, 2, 2});
  const auto next_hop = [&rig, host] {
    rig.ReceiveIpv4(0, MakeIpv4({kPeer, host}, Bytes(8)));
    rig.Run();
    const auto sent = rig.Sent(1);
    return sent.size() == 1
               ? MacAddress{sent[0][0], sent[0][1], sent[0][2], sent[0][3], sent[0][4], sent[0][5]}
               : MacAddress{};
  };
  EXPECT_EQ(next_hop(), (MacAddress{2, 2, 2, 2, 2, 2}));
  ASSERT_TRUE(
      path.SetRoute(Ip(198, 51, 100, 128), 25, {RouteTarget::Kind::kAdjacency, 1, kRouter}).ok());
  EXPECT_EQ(next_hop(), Rig::PeerMac(1));
  ASSERT_TRUE(path.RemoveRoute(Ip(198, 51, 100, 128), 25).ok());
  EXPECT_EQ(next_hop(), (MacAddress{2, 2, 2, 2, 2, 2}));
  path.SetNeighbour(1, host, {4, 4, 4, 4, 4, 4});
  EXPECT_EQ(next_hop(), (MacAddress{4, 4, 4, 4, 4, 4}));
  path.RemoveNeighbour(1, host);
  EXPECT_EQ(next_hop(), MacAddress{});
  EXPECT_EQ(path.TakeUnresolved().size(), 1u);
}

TEST(RoutesTest, BadPrefixes) {
  CallRig rig;
  EXPECT_FALSE(rig.datapath().SetRoute(1, 31, {}).ok());
  EXPECT_FALSE(rig.datapath().SetRoute(0, 33, {}).ok());
  EXPECT_FALSE(rig.datapath().SetRoute(0, 0, {RouteTarget::Kind::kAdjacency, 9, 0}).ok());
  EXPECT_FALSE(rig.datapath().RemoveRoute(Ip(9, 0, 0, 0), 8).ok());
}

// Two workers on lcores of their own; calls, routes and traffic come and go meanwhile.
TEST(RunningTest, ControlWhileTrafficFlows) {
  Rig::Options options;
  options.num_workers = 2;
  CallRig rig(options);
  Datapath& path = rig.datapath();
  ASSERT_TRUE(path.Start().ok());
  rig.Program(CallRig::Spec());
  size_t received = 0;
  for (int i = 0; i < 200; ++i) {
    rig.Upstream(kIpv4Frame + CallRig::PacketToServer(), static_cast<unsigned>(i % 2));
    const uint64_t other = rig.Program(CallRig::Spec2());
    path.SetNeighbour(1, kRouter, Rig::PeerMac(1));
    ASSERT_TRUE(
        path.SetRoute(Ip(203, 0, 113, 0), 24, {RouteTarget::Kind::kAdjacency, 1, kRouter + 1})
            .ok());
    ASSERT_TRUE(path.RemoveRoute(Ip(203, 0, 113, 0), 24).ok());
    EXPECT_TRUE(path.SendFrame(other, Hex("c021 0901 0008 00000000")));
    EXPECT_TRUE(path.Remove(other).ok());
    received += rig.Sent(1).size();
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (received + rig.Drops("sequence_late") < 200 &&
         std::chrono::steady_clock::now() < deadline) {
    received += rig.Sent(1).size();
  }
  path.Stop();
  received += rig.Sent(1).size();
  // Two queues may overtake each other; the sequence check then drops what is late.
  EXPECT_EQ(received + rig.Drops("sequence_late"), 200u);
  EXPECT_EQ(path.List().size(), 1u);
}

}  // namespace
}  // namespace culvert::dataplane
