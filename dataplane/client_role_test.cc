// The client's end of calls: packets inside go by the call, not by their addresses.
#include <gtest/gtest.h>

#include "dataplane/call/call.h"
#include "dataplane/rig/call_rig.h"
#include "dataplane/rig/mppe_peer.h"

namespace culvert::dataplane {
namespace {

// kPeer is the server here, kLocal a client.
class ClientRoleTest : public ::testing::Test {
 protected:
  static Rig::Options ClientOptions() {
    Rig::Options options;
    options.role = DatapathRole::kClient;
    return options;
  }
  static CallSpec SpecOf(uint32_t client, uint16_t call_id) {
    CallSpec spec = CallRig::Spec();
    spec.local_address = client;
    spec.call_id = call_id;
    return spec;
  }
  bool Send(uint64_t handle, const Bytes& packet) {
    const Datapath::CallPacket to{handle, rig_.NewMbuf(packet)};
    const bool taken = rig_.datapath().ToCalls(*rig_.datapath().WorkerOf(handle), {&to, 1}) == 1;
    rig_.Run();
    return taken;
  }
  // Received gives what has come out of calls, and of which.
  std::vector<std::pair<uint64_t, Bytes>> Received() {
    rig_.Run();
    std::vector<std::pair<uint64_t, Bytes>> received;
    Datapath::CallPacket packet;
    while (rig_.datapath().FromCalls({&packet, 1}) == 1) {
      const auto* data = rte_pktmbuf_mtod(packet.mbuf, const uint8_t*);
      received.emplace_back(packet.handle, Bytes(data, data + rte_pktmbuf_data_len(packet.mbuf)));
      rte_pktmbuf_free(packet.mbuf);
    }
    return received;
  }

  CallRig rig_{ClientOptions()};
};

TEST_F(ClientRoleTest, CallsWithOneInnerAddress) {
  constexpr uint32_t kOther = Ip(10, 1, 0, 9);
  const uint64_t first = rig_.Program(SpecOf(kLocal, kCallId));
  const uint64_t second = rig_.Program(SpecOf(kOther, kCallId + 1));
  ASSERT_TRUE(Send(first, CallRig::PacketToServer()));
  ASSERT_TRUE(Send(second, CallRig::PacketToServer()));
  const auto sent = rig_.Sent(0);
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(ParseTunnel(sent[0]).ip.source, kLocal);
  EXPECT_EQ(ParseTunnel(sent[1]).ip.source, kOther);
  EXPECT_EQ(ParseTunnel(sent[1]).ip.destination, kPeer);
  EXPECT_EQ(ParseTunnel(sent[1]).ppp, Hex("ff03 0021") + CallRig::PacketToServer());  // TTL as is

  rig_.Upstream(Hex("ff03 0021") + CallRig::PacketToClient());
  const auto received = Received();
  ASSERT_EQ(received.size(), 1u);
  EXPECT_EQ(received[0].first, first);
  EXPECT_EQ(received[0].second, CallRig::PacketToClient());
}

TEST_F(ClientRoleTest, Mppe) {
  CallSpec spec = SpecOf(kLocal, kCallId);
  spec.require_encryption = true;
  spec.send = MppeKeySpec{.bits = 128, .epoch = 1, .start_key = {1, 2, 3}};
  spec.receive = MppeKeySpec{.bits = 128, .epoch = 1, .start_key = {4, 5, 6}};
  MppePeer reads(*spec.send), writes(*spec.receive);
  const uint64_t handle = rig_.Program(spec);
  for (unsigned i = 0; i < 20; ++i) {
    ASSERT_TRUE(Send(handle, CallRig::PacketToServer(i)));
    rig_.Upstream(writes.Send(CallRig::PacketToClient(i)));
  }
  const auto received = Received();
  const auto sent = rig_.Sent(0);
  ASSERT_EQ(received.size(), 20u);
  ASSERT_EQ(sent.size(), 20u);
  for (unsigned i = 0; i < 20; ++i) {
    EXPECT_EQ(received[i].second, CallRig::PacketToClient(i));
    EXPECT_EQ(reads.Receive(ParseTunnel(sent[i]).ppp), CallRig::PacketToServer(i));
  }
}

TEST_F(ClientRoleTest, WhatIsForNobodyHere) {
  const uint64_t handle = rig_.Program(SpecOf(kLocal, kCallId));
  rig_.Upstream(Hex("ff03 0021") + MakeIpv4({kServer, kClient2}, Bytes(8)));
  EXPECT_TRUE(Received().empty());
  EXPECT_EQ(rig_.Drops("source_spoofed"), 1u);
  // A call that is over, and its place taken by another one.
  rig_.datapath().Remove(handle).IgnoreError();
  const uint64_t next = rig_.Program(SpecOf(kLocal, kCallId));
  const Datapath::CallPacket stale{handle, rig_.NewMbuf(CallRig::PacketToServer())};
  ASSERT_EQ(rig_.datapath().ToCalls(0, {&stale, 1}), 1u);
  rig_.Run();
  EXPECT_TRUE(rig_.Sent(0).empty());
  EXPECT_EQ(rig_.Drops("call_stale"), 1u);
  // GRE from where no server is.
  wire::gre::Header header;
  header.call_id = kCallId;
  header.has_sequence = true;
  rig_.ReceiveIpv4(0, MakeIpv4({kPeer2, kLocal, wire::gre::kIpProtocol},
                               MakeGre(header, Hex("ff03 0021") + CallRig::PacketToClient())));
  EXPECT_TRUE(Received().empty());
  EXPECT_EQ(rig_.PuntedToPort(0).size(), 1u);  // the kernel's
  EXPECT_NE(handle, next);
}

TEST_F(ClientRoleTest, ManyClientsFewServers) {
  for (uint16_t i = 0; i < 100; ++i) {
    rig_.Program(SpecOf(Ip(10, 1, 0, i), i + 1));
  }
  const auto list = rig_.datapath().List();
  ASSERT_EQ(list.size(), 100u);
  EXPECT_EQ(list[42].spec.local_address, Ip(10, 1, 0, 42));
  EXPECT_EQ(list[42].spec.peer_address, kPeer);
  for (const CallEntry& entry : list) {
    rig_.datapath().Remove(entry.spec.handle).IgnoreError();
  }
  EXPECT_TRUE(rig_.datapath().List().empty());
  CallSpec spec = SpecOf(kLocal, kCallId);
  for (uint32_t i = 0; i < 4; ++i) {  // as many as there are tables
    spec.peer_address = Ip(10, 99, 0, 10 + i);
    rig_.Program(spec);
  }
  spec.peer_address = Ip(10, 99, 0, 20);
  EXPECT_EQ(rig_.datapath().Upsert(spec).status().code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace culvert::dataplane
