#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "dataplane/service/service_rig.h"

namespace culvert::dataplane {
namespace {

using testing::ElementsAre;

TEST_F(ServiceTest, DescribesItself) {
  grpc::ClientContext context;
  v1::DescribeResponse response;
  ASSERT_TRUE(stub_->Describe(&context, {}, &response).ok());
  EXPECT_NE(response.instance(), 0U);
  EXPECT_EQ(response.version(), "1.2");
  EXPECT_EQ(response.workers(), 2U);
  EXPECT_EQ(response.max_local_addresses(), 4U);
  EXPECT_THAT(response.ports(), ElementsAre("access", "core"));
}

TEST_F(ServiceTest, ProgramAnswersEachOperationAndAppliesNothingBad) {
  v1::ProgramRequest request;
  request.set_batch(42);
  *request.add_operations()->mutable_upsert() = Call(7);
  *request.add_operations()->mutable_upsert() = Call(0);
  request.add_operations()->set_remove(12345);
  request.add_operations();
  v1::CallConfig stale = Call(8);
  stale.set_handle(999);
  *request.add_operations()->mutable_upsert() = stale;
  const v1::ProgramResponse response = Program(request);

  EXPECT_EQ(response.batch(), 42U);
  ASSERT_EQ(response.results_size(), 5);
  EXPECT_EQ(response.results(0).code(), grpc::OK);
  EXPECT_EQ(response.results(0).handle(), 100U);
  EXPECT_EQ(response.results(1).code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(response.results(1).message(), "call_id: 0; allowed: 1 to 65535");
  EXPECT_EQ(response.results(2).code(), grpc::OK);
  EXPECT_EQ(response.results(3).code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(response.results(4).code(), grpc::NOT_FOUND);
  EXPECT_EQ(response.results(4).handle(), 999U);
  EXPECT_EQ(datapath_.calls.size(), 1U);
}

TEST_F(ServiceTest, ProgramGivesCallsTogetherAndFiltersInBetween) {
  v1::ProgramRequest request;
  *request.add_operations()->mutable_upsert() = Call(7);
  *request.add_operations()->mutable_upsert() = Call(0);
  *request.add_operations()->mutable_upsert() = Call(8);
  request.add_operations()->set_remove_filter(3);
  *request.add_operations()->mutable_upsert() = Call(9);
  request.add_operations()->set_remove(100);
  const v1::ProgramResponse response = Program(request);
  EXPECT_THAT(datapath_.batches, ElementsAre(2, 2));
  ASSERT_EQ(response.results_size(), 6);
  EXPECT_EQ(response.results(2).handle(), 101U);
  EXPECT_EQ(response.results(3).code(), grpc::FAILED_PRECONDITION);
  EXPECT_EQ(response.results(4).handle(), 102U);
  EXPECT_EQ(response.results(5).final_counters().upstream_packets(), 11U);
}

TEST_F(ServiceTest, ProgramRemovesWithFinalCounters) {
  v1::ProgramRequest request;
  *request.add_operations()->mutable_upsert() = Call(7);
  request.add_operations()->set_remove(100);
  const v1::ProgramResponse response = Program(request);
  ASSERT_EQ(response.results_size(), 2);
  EXPECT_EQ(response.results(1).final_counters().handle(), 100U);
  EXPECT_EQ(response.results(1).final_counters().upstream_packets(), 11U);
  EXPECT_TRUE(datapath_.calls.empty());
}

TEST_F(ServiceTest, FramesGoBothWays) {
  grpc::ClientContext context;
  const auto stream = stub_->Frames(&context);
  v1::FrameBatch batch;
  v1::Frame* frame = batch.add_frames();
  frame->set_handle(100);
  frame->set_data("\xc0\x21 up");
  ASSERT_TRUE(stream->Write(batch));
  ASSERT_TRUE(Eventually([&] {
    const FakeDatapath::Lock lock(datapath_.mutex);
    return datapath_.sent.size() == 1;
  }));
  EXPECT_EQ(datapath_.sent[0], std::pair(uint64_t{100}, std::string("\xc0\x21 up")));
  {
    const FakeDatapath::Lock lock(datapath_.mutex);
    datapath_.punted.push_back({.handle = 101, .data = {0xc0, 0x21, 1}});
  }
  ASSERT_TRUE(stream->Read(&batch));
  ASSERT_EQ(batch.frames_size(), 1);
  EXPECT_EQ(batch.frames(0).handle(), 101U);
  EXPECT_EQ(batch.frames(0).data(), "\xc0\x21\x01");
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(ServiceTest, OneFramesStreamAtATime) {
  const auto send_one = [](auto* stream) {
    v1::FrameBatch batch;
    batch.add_frames()->set_handle(1);
    return stream->Write(batch);
  };
  grpc::ClientContext first_context;
  auto first = stub_->Frames(&first_context);
  ASSERT_TRUE(send_one(first.get()));
  ASSERT_TRUE(Eventually([&] {
    const FakeDatapath::Lock lock(datapath_.mutex);
    return !datapath_.sent.empty();
  }));
  {
    grpc::ClientContext context;
    const auto second = stub_->Frames(&context);
    v1::FrameBatch batch;
    EXPECT_FALSE(second->Read(&batch));
    EXPECT_EQ(second->Finish().error_code(), grpc::ALREADY_EXISTS);
  }
  first_context.TryCancel();
  EXPECT_FALSE(first->Finish().ok());

  EXPECT_TRUE(Eventually([&] {
    grpc::ClientContext context;
    const auto third = stub_->Frames(&context);
    const bool written = send_one(third.get());
    third->WritesDone();
    return third->Finish().ok() && written;
  }));
}

TEST_F(ServiceTest, FramesWithoutAStreamAreThrownAway) {
  {
    const FakeDatapath::Lock lock(datapath_.mutex);
    datapath_.punted.push_back({.handle = 1, .data = {0xc0, 0x21}});
  }
  EXPECT_TRUE(Eventually([&] {
    const FakeDatapath::Lock lock(datapath_.mutex);
    return datapath_.punted.empty();
  }));
}

TEST_F(ServiceTest, ListsAllCallsInPieces) {
  v1::ProgramRequest request;
  for (uint32_t i = 1; i <= 600; ++i) *request.add_operations()->mutable_upsert() = Call(i);
  Program(request);
  grpc::ClientContext context;
  const auto reader = stub_->List(&context, {});
  v1::ListResponse response;
  std::set<uint32_t> call_ids;
  int num_messages = 0;
  for (; reader->Read(&response); ++num_messages) {
    for (const auto& entry : response.calls()) call_ids.insert(entry.config().call_id());
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(call_ids.size(), 600U);
  EXPECT_EQ(num_messages, 3);
}

TEST_F(ServiceTest, CountersOfOneRound) {
  v1::ProgramRequest request;
  *request.add_operations()->mutable_upsert() = Call(1);
  Program(request);
  grpc::ClientContext context;
  v1::CountersRequest counters;
  counters.set_calls(true);
  const auto reader = stub_->Counters(&context, counters);
  v1::CountersResponse response;
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_TRUE(response.end_of_round());
  EXPECT_EQ(response.num_calls(), 1U);
  ASSERT_EQ(response.calls_size(), 1);
  EXPECT_EQ(response.calls(0).handle(), 100U);
  ASSERT_EQ(response.workers_size(), 1);
  EXPECT_EQ(response.workers(0).received(), 5U);
  EXPECT_EQ(response.workers(0).drops(0).reason(), "ttl");
  EXPECT_EQ(response.workers(0).consumed(), 6U);
  ASSERT_EQ(response.workers(0).stages_size(), 1);
  EXPECT_EQ(response.workers(0).stages(0).name(), "input");
  EXPECT_EQ(response.workers(0).stages(0).packets(), 3U);
  EXPECT_EQ(response.workers(0).stages(0).cycles(), 400U);
  EXPECT_EQ(response.workers(0).hand_over_depth(), 7U);
  EXPECT_EQ(response.workers(0).punted_depth(), 8U);
  EXPECT_EQ(response.workers(0).events_depth(), 9U);
  ASSERT_EQ(response.workers(0).rounds_size(), 2);
  EXPECT_EQ(response.workers(0).rounds(1), 11U);
  EXPECT_EQ(response.workers(0).rounds_us(), 12U);
  EXPECT_EQ(response.workers(0).longest_round_us(), 13U);
  EXPECT_EQ(response.mbufs_total(), 77U);
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(ServiceTest, CountersByIntervalUntilTheClientGoes) {
  grpc::ClientContext context;
  v1::CountersRequest request;
  request.set_interval_ms(100);
  const auto reader = stub_->Counters(&context, request);
  v1::CountersResponse response;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.calls_size(), 0);
  context.TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), grpc::CANCELLED);
}

TEST_F(ServiceTest, CountersRefusesAHastyInterval) {
  grpc::ClientContext context;
  v1::CountersRequest request;
  request.set_interval_ms(99);
  const auto reader = stub_->Counters(&context, request);
  v1::CountersResponse response;
  EXPECT_FALSE(reader->Read(&response));
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "interval_ms: 99; allowed: 0 (one round), 100 or more");
}

TEST_F(ServiceTest, StopEndsAStreamThatWaits) {
  grpc::ClientContext context;
  v1::CountersRequest request;
  request.set_interval_ms(60000);
  const auto reader = stub_->Counters(&context, request);
  v1::CountersResponse response;
  ASSERT_TRUE(reader->Read(&response));
  service_.Stop();
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(ServiceTest, HealthIsServing) {
  grpc::GenericStub generic(channel_);
  grpc::ClientContext context;
  const grpc::Slice empty;
  const grpc::ByteBuffer request(&empty, 1);
  grpc::CompletionQueue queue;
  const auto call =
      generic.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", request, &queue);
  call->StartCall();
  grpc::ByteBuffer response;
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  ASSERT_TRUE(queue.Next(&tag, &ok));
  ASSERT_TRUE(status.ok()) << status.error_message();
  grpc::Slice slice;
  ASSERT_TRUE(response.DumpToSingleSlice(&slice).ok());
  // HealthCheckResponse{status: SERVING}
  EXPECT_EQ(std::string(slice.begin(), slice.end()), std::string("\x08\x01"));
}

TEST_F(ServiceTest, OnlyTheOwnerMayConnect) {
  struct stat found {};
  ASSERT_EQ(stat(path_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600U);
}

TEST_F(ServiceTest, ASocketInUseIsLeftAlone) {
  Service other(&datapath_, &pump_, &events_, {});
  const auto second = Server::Listen(path_, &other);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_NE(std::string(second.status().message()).find(path_), std::string::npos);
  grpc::ClientContext context;
  v1::DescribeResponse response;
  EXPECT_TRUE(stub_->Describe(&context, {}, &response).ok());
}

TEST_F(ServiceTest, ADeadSocketIsReplacedAndAFileIsNot) {
  const std::string dead = folder_ + "/dead.sock";
  {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    dead.copy(address.sun_path, sizeof(address.sun_path) - 1);
    ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    close(fd);
  }
  Service other(&datapath_, &pump_, &events_, {});
  EXPECT_TRUE(Server::Listen(dead, &other).ok());

  const std::string file = folder_ + "/file";
  std::ofstream(file) << "precious";
  const auto refused = Server::Listen(file, &other);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(std::filesystem::is_regular_file(file));
}

}  // namespace
}  // namespace culvert::dataplane
