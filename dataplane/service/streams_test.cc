#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataplane/service/service_rig.h"

namespace culvert::dataplane {
namespace {

using Kind = CallEvent::Kind;
using StreamsTest = ServiceTest;

TEST_F(StreamsTest, EventsReachTheOneStream) {
  {
    const FakeDatapath::Lock lock(datapath_.mutex);
    datapath_.events.push_back({.handle = 5, .kind = Kind::kDead, .time_ms = 1234});
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  {
    const FakeDatapath::Lock lock(datapath_.mutex);
    EXPECT_EQ(datapath_.events.size(), 1U) << "it waits for a controller";
  }
  grpc::ClientContext context;
  const auto reader = stub_->Events(&context, {});
  v1::EventBatch batch;
  ASSERT_TRUE(reader->Read(&batch));
  ASSERT_EQ(batch.events_size(), 1);
  EXPECT_EQ(batch.events(0).handle(), 5U);
  EXPECT_EQ(batch.events(0).kind(), v1::Event::DEAD);
  EXPECT_EQ(batch.events(0).time_ms(), 1234U);
  {
    const FakeDatapath::Lock lock(datapath_.mutex);
    for (const Kind kind : {Kind::kIdle, Kind::kQuota, Kind::kMppeFailed, Kind::kSequenceRestart}) {
      datapath_.events.push_back({.handle = 6, .kind = kind});
    }
  }
  ASSERT_TRUE(reader->Read(&batch));
  ASSERT_EQ(batch.events_size(), 4);
  EXPECT_EQ(batch.events(0).kind(), v1::Event::IDLE);
  EXPECT_EQ(batch.events(1).kind(), v1::Event::QUOTA);
  EXPECT_EQ(batch.events(2).kind(), v1::Event::MPPE_FAILED);
  EXPECT_EQ(batch.events(3).kind(), v1::Event::SEQUENCE_RESTART);

  grpc::ClientContext second_context;
  const auto second = stub_->Events(&second_context, {});
  EXPECT_FALSE(second->Read(&batch));
  EXPECT_EQ(second->Finish().error_code(), grpc::ALREADY_EXISTS);
  context.TryCancel();
  (void)reader->Finish();
}

TEST_F(StreamsTest, TheNextControllerGetsTheEventsStream) {
  {
    grpc::ClientContext context;
    const auto reader = stub_->Events(&context, {});
    context.TryCancel();
    (void)reader->Finish();
  }
  EXPECT_TRUE(Eventually([&] {
    {
      const FakeDatapath::Lock lock(datapath_.mutex);
      datapath_.events.push_back({.handle = 1, .kind = Kind::kIdle});
    }
    grpc::ClientContext context;
    const auto reader = stub_->Events(&context, {});
    v1::EventBatch batch;
    const bool read = reader->Read(&batch);
    context.TryCancel();
    (void)reader->Finish();
    return read;
  }));
}

TEST_F(StreamsTest, TraceGivesPacketsAndStops) {
  v1::ProgramRequest request;
  *request.add_operations()->mutable_upsert() = Call(7);
  Program(request);
  grpc::ClientContext context;
  v1::TraceRequest trace;
  trace.set_handle(100);
  trace.set_count(2);
  const auto reader = stub_->Trace(&context, trace);
  const TracedPacket packet{.handle = 100,
                            .time_ns = 99,
                            .len = 1400,
                            .downstream = true,
                            .worker = 1,
                            .steps = {{"route", "next", nullptr}, {"ttl", "drop", "ttl_expired"}}};
  {
    const FakeDatapath::Lock lock(datapath_.mutex);
    datapath_.traced.push_back(packet);
  }
  v1::TracedPacket read;
  ASSERT_TRUE(reader->Read(&read));
  EXPECT_EQ(read.time_ns(), 99U);
  EXPECT_EQ(read.length(), 1400U);
  EXPECT_TRUE(read.downstream());
  EXPECT_EQ(read.worker(), 1U);
  ASSERT_EQ(read.steps_size(), 2);
  EXPECT_EQ(read.steps(0).name(), "route");
  EXPECT_EQ(read.steps(0).drop_reason(), "");
  EXPECT_EQ(read.steps(1).verdict(), "drop");
  EXPECT_EQ(read.steps(1).drop_reason(), "ttl_expired");

  grpc::ClientContext second_context;
  const auto second = stub_->Trace(&second_context, trace);
  EXPECT_FALSE(second->Read(&read));
  EXPECT_EQ(second->Finish().error_code(), grpc::ALREADY_EXISTS);

  {
    const FakeDatapath::Lock lock(datapath_.mutex);
    datapath_.traced.push_back(packet);
  }
  ASSERT_TRUE(reader->Read(&read));
  EXPECT_FALSE(reader->Read(&read));
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_THAT(datapath_.trace_started,
              testing::ElementsAre(std::pair(uint64_t{100}, 2U), std::pair(uint64_t{100}, 0U)));
}

TEST_F(StreamsTest, TraceEndsWithItsCall) {
  v1::ProgramRequest request;
  *request.add_operations()->mutable_upsert() = Call(7);
  Program(request);
  grpc::ClientContext context;
  v1::TraceRequest trace;
  trace.set_handle(100);
  trace.set_count(2);
  const auto reader = stub_->Trace(&context, trace);
  ASSERT_TRUE(Eventually([&] {
    const FakeDatapath::Lock lock(datapath_.mutex);
    return !datapath_.trace_started.empty();
  }));
  request.Clear();
  request.add_operations()->set_remove(100);
  Program(request);
  v1::TracedPacket read;
  EXPECT_FALSE(reader->Read(&read));
  EXPECT_EQ(reader->Finish().error_code(), grpc::NOT_FOUND);
}

TEST_F(StreamsTest, TraceRefusesWhatItCannotDo) {
  for (const auto& [handle, count, code] : {std::tuple{uint64_t{1}, 0U, grpc::INVALID_ARGUMENT},
                                            std::tuple{uint64_t{1}, 10001U, grpc::INVALID_ARGUMENT},
                                            std::tuple{uint64_t{1}, 1U, grpc::NOT_FOUND}}) {
    grpc::ClientContext context;
    v1::TraceRequest trace;
    trace.set_handle(handle);
    trace.set_count(count);
    const auto reader = stub_->Trace(&context, trace);
    v1::TracedPacket read;
    EXPECT_FALSE(reader->Read(&read));
    EXPECT_EQ(reader->Finish().error_code(), code);
  }
}

}  // namespace
}  // namespace culvert::dataplane
