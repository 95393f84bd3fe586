// Batches of operations: the same as one after the other, whatever they have in common.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "dataplane/rig/call_rig.h"

namespace culvert::dataplane {
namespace {

CallOperation Upsert(const CallSpec& spec) {
  return {.kind = CallOperation::Kind::kUpsert, .spec = spec};
}
CallOperation Remove(uint64_t handle) {
  return {.kind = CallOperation::Kind::kRemove, .handle = handle};
}
CallSpec Spec(uint32_t i) {
  CallSpec spec = CallRig::Spec();
  spec.call_id = static_cast<uint16_t>(i + 1);
  spec.client_address = Ip(10, 77, 1, 0) + i;
  return spec;
}
std::vector<absl::StatusCode> Codes(const std::vector<CallOperation>& batch) {
  std::vector<absl::StatusCode> codes;
  for (const CallOperation& operation : batch) {
    codes.push_back(operation.status.code());
  }
  return codes;
}
// Call ID of the call that packets to the address reach; 0: none.
uint16_t Reached(CallRig* rig, uint32_t address) {
  rig->ReceiveIpv4(1, MakeIpv4({kServer, address}, Bytes(8)));
  rig->Run();
  const std::vector<Bytes> sent = rig->Sent(0);
  return sent.empty() ? 0 : ParseTunnel(sent[0]).gre.call_id;
}

constexpr auto kOk = absl::StatusCode::kOk;

TEST(CallBatchTest, OperationsOfOneCallFollowEachOther) {
  CallRig rig;
  CallSpec spec = Spec(0);
  const uint64_t handle = rig.Program(spec);
  CallSpec changed = spec;
  changed.handle = handle;
  changed.mtu = 1000;
  CallSpec stale = changed;
  std::vector<CallOperation> batch = {Upsert(spec),   Upsert(changed), Remove(handle),
                                      Remove(handle), Upsert(stale),   Upsert(spec)};
  rig.datapath().Program(batch);
  EXPECT_THAT(Codes(batch),
              ::testing::ElementsAre(kOk, kOk, kOk, kOk, absl::StatusCode::kNotFound, kOk));
  EXPECT_EQ(batch[0].handle, handle);
  EXPECT_EQ(batch[1].handle, handle);
  EXPECT_NE(batch[5].handle, handle);
  const std::vector<CallEntry> calls = rig.datapath().List();
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls[0].spec.handle, batch[5].handle);
  EXPECT_EQ(calls[0].spec.mtu, 0);
  EXPECT_NE(Reached(&rig, spec.client_address), 0);
}

TEST(CallBatchTest, WhatOneLeavesAnotherTakes) {
  CallRig rig;
  CallSpec moving = Spec(0), leaving = Spec(1), taker = Spec(2), heir = Spec(3);
  moving.peer_call_id = 100, taker.peer_call_id = 102, heir.peer_call_id = 103;
  moving.handle = rig.Program(moving);
  leaving.handle = rig.Program(leaving);
  const uint32_t left = moving.client_address;
  moving.client_address = Ip(10, 77, 2, 0);
  taker.client_address = left;
  heir.client_address = leaving.client_address;
  std::vector<CallOperation> batch = {Upsert(moving), Upsert(taker), Remove(leaving.handle),
                                      Upsert(heir), Upsert(Spec(2))};
  rig.datapath().Program(batch);
  EXPECT_THAT(Codes(batch),
              ::testing::ElementsAre(kOk, kOk, kOk, kOk, absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(Reached(&rig, moving.client_address), 100);
  EXPECT_EQ(Reached(&rig, left), 102);
  EXPECT_EQ(Reached(&rig, leaving.client_address), 103);
}

TEST(CallBatchTest, TheLastCallOfAnAddressMakesRoomForAnotherAddress) {
  CallRig rig;  // 4
  std::vector<CallOperation> batch;
  for (uint32_t i = 0; i < 4; ++i) {
    batch.push_back(Upsert(Spec(i)));
    batch.back().spec.local_address = kLocal + i;
  }
  rig.datapath().Program(batch);
  std::vector<CallOperation> next = {Upsert(Spec(4)), Remove(batch[1].handle), Upsert(Spec(5))};
  next[0].spec.local_address = next[2].spec.local_address = kLocal + 4;
  rig.datapath().Program(next);
  EXPECT_THAT(Codes(next), ::testing::ElementsAre(absl::StatusCode::kResourceExhausted, kOk, kOk));
}

TEST(CallBatchTest, WhatIsWrongHarmsNothingElse) {
  CallRig rig;
  std::vector<CallOperation> batch = {Upsert(Spec(0)), Upsert(Spec(1)), Upsert(Spec(2)),
                                      Remove(999), Upsert(Spec(3))};
  batch[1].spec.peer_mru = 60;
  batch[2].spec.filter = 7;  // that there is not
  rig.datapath().Program(batch);
  EXPECT_TRUE(batch[0].status.ok() && batch[3].status.ok() && batch[4].status.ok());
  EXPECT_EQ(batch[1].status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(batch[2].status.ok());
  EXPECT_EQ(rig.datapath().List().size(), 2u);
}

// More than are handed to a worker at a time, and it takes in a round; both workers have some.
TEST(CallBatchTest, ThousandsWhileWorkersRun) {
  Rig::Options options;
  options.num_workers = 2;
  CallRig rig(options);
  Datapath& path = rig.datapath();
  ASSERT_TRUE(path.SetRoute(Ip(10, 99, 0, 0), 16, {RouteTarget::Kind::kAdjacency, 0, kPeer}).ok());
  ASSERT_TRUE(path.Start().ok());
  constexpr uint32_t kCalls = 2000;
  std::vector<CallOperation> batch;
  for (uint32_t i = 0; i < kCalls; ++i) {
    CallSpec spec = Spec(i);
    spec.peer_address = Ip(10, 99, 1, 0) + i;
    spec.peer_call_id = static_cast<uint16_t>(i);
    batch.push_back(Upsert(spec));
  }
  path.Program(batch);
  std::vector<CallOperation> removals;
  size_t of_worker[2] = {};
  for (const CallOperation& operation : batch) {
    ASSERT_TRUE(operation.status.ok()) << operation.status;
    ++of_worker[*path.WorkerOf(operation.handle)];
    removals.push_back(Remove(operation.handle));
  }
  EXPECT_GT(of_worker[0], kCalls / 4);
  EXPECT_GT(of_worker[1], kCalls / 4);
  EXPECT_EQ(path.List().size(), kCalls);
  for (uint32_t i = 0; i < kCalls; i += 97) {
    rig.ReceiveIpv4(1, MakeIpv4({kServer, Ip(10, 77, 1, 0) + i}, Bytes(8)), i % 2);
    std::vector<Bytes> sent;
    for (int n = 0; sent.empty() && n < 10'000; ++n) {
      sent = rig.Sent(0);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(ParseTunnel(sent[0]).gre.call_id, i);
  }
  path.Program(removals);
  uint64_t packets = 0;
  for (const CallOperation& operation : removals) {
    EXPECT_TRUE(operation.status.ok());
    packets += operation.totals.downstream_packets;
  }
  EXPECT_EQ(packets, (kCalls + 96) / 97);
  EXPECT_TRUE(path.List().empty());
  path.Stop();
}

}  // namespace
}  // namespace culvert::dataplane
