// `calls set-rate`, `dataplane` and `trace` against a server that answers as told.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

#include "tools/culvertctl/commands.h"
#include "tools/culvertctl/connection.h"
#include "tools/culvertctl/dataplane_view.h"
#include "tools/culvertctl/format.h"

namespace culvert::ctl {
namespace {

namespace dp = dataplane::v1;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

management::v1::GetDataplaneResponse Example() {
  management::v1::GetDataplaneResponse response;
  for (uint32_t i = 0; i < 2; ++i) {
    dp::WorkerCounters& worker = *response.add_workers();
    worker.set_worker(i);
    worker.set_received(100 + i);
    worker.set_hand_over_depth(7);
    for (unsigned bucket = 0; bucket < 10; ++bucket) worker.add_rounds(1000 + bucket);
    worker.set_longest_round_us(345);
    dp::StageCounter& stage = *worker.add_stages();
    stage.set_name("decrypt");
    stage.set_packets(i * 10);
    stage.set_cycles(i * 1234);
    dp::DropCounter& drop = *worker.add_drops();
    drop.set_reason("ttl_expired");
    drop.set_text("TTL ran out");
    drop.set_source("RFC 1812 s5.3.1");
    drop.set_packets(i * 3);
    worker.add_drops()->set_reason("never");
  }
  dp::PortCounters& port = *response.add_ports();
  port.set_name("wan0");
  port.set_rx_octets(1500);
  port.add_queues();
  port.add_queues()->set_rx_dropped(6);
  response.set_num_calls(4);
  response.set_mbufs_in_use(5);
  response.set_mbufs_total(4096);
  return response;
}

dp::TracedPacket Packet() {
  dp::TracedPacket packet;
  packet.set_time_ns(1'000'000'000'000'001'000);
  packet.set_length(1400);
  packet.set_downstream(true);
  packet.set_worker(1);
  dp::TracedStep* step = packet.add_steps();
  step->set_name("route");
  step->set_verdict("next");
  step = packet.add_steps();
  step->set_name("ttl");
  step->set_verdict("drop");
  step->set_drop_reason("ttl_expired");
  return packet;
}

class FakeCallsRate final : public management::v1::Calls::Service {
 public:
  grpc::Status SetRate(grpc::ServerContext*, const management::v1::SetRateRequest* request,
                       management::v1::SetRateResponse* response) override {
    request_ = *request;
    response->set_upstream_bps(request->upstream_bps());
    return grpc::Status::OK;
  }
  management::v1::SetRateRequest request_;
};

class FakeDataplaneView final : public management::v1::Dataplane::Service {
 public:
  grpc::Status Get(grpc::ServerContext*, const management::v1::GetDataplaneRequest*,
                   management::v1::GetDataplaneResponse* response) override {
    if (away_) return {grpc::StatusCode::UNAVAILABLE, "the data plane is not connected"};
    *response = Example();
    return grpc::Status::OK;
  }
  grpc::Status TraceCall(grpc::ServerContext*, const management::v1::TraceCallRequest* request,
                         grpc::ServerWriter<dp::TracedPacket>* writer) override {
    for (uint32_t i = 0; i < request->count(); ++i) writer->Write(Packet());
    return grpc::Status::OK;
  }
  bool away_ = false;
};

class DataplaneCommandsTest : public testing::Test {
 protected:
  void SetUp() override {
    setenv("TZ", "UTC", 1);
    tzset();
    grpc::ServerBuilder builder;
    builder.RegisterService(&calls_);
    builder.RegisterService(&view_);
    server_ = builder.BuildAndStart();
    calls_stub_ = management::v1::Calls::NewStub(server_->InProcessChannel({}));
    view_stub_ = management::v1::Dataplane::NewStub(server_->InProcessChannel({}));
  }
  void TearDown() override { server_->Shutdown(); }

  template <typename Stub>
  int Run(int (*command)(const Options&, Stub*), Stub* stub) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int status = command(options_, stub);
    std::fflush(stdout);
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return status;
  }
  int Run(int (*command)(const Options&, CallsStub*)) {
    return Run<CallsStub>(command, calls_stub_.get());
  }
  int Run(int (*command)(const Options&, DataplaneStub*)) {
    return Run<DataplaneStub>(command, view_stub_.get());
  }

  FakeCallsRate calls_;
  FakeDataplaneView view_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<CallsStub> calls_stub_;
  std::unique_ptr<DataplaneStub> view_stub_;
  Options options_;
  std::string out_, err_;
};

TEST_F(DataplaneCommandsTest, SetRateSendsWhatWasGiven) {
  options_.filter.set_id("00000000000000aa");
  options_.up_bps = 64000;
  EXPECT_EQ(Run(SetRate), 0);
  EXPECT_EQ(out_, "00000000000000aa: upstream 64.0 kbit/s, downstream no limit\n");
  EXPECT_EQ(calls_.request_.upstream_bps(), 64000u);
  EXPECT_FALSE(calls_.request_.has_downstream_bps());
  options_.down_bps = 0;
  options_.output = "json";
  EXPECT_EQ(Run(SetRate), 0);
  EXPECT_TRUE(calls_.request_.has_downstream_bps());
  EXPECT_THAT(out_, HasSubstr("\"upstream_bps\": \"64000\""));
}

TEST_F(DataplaneCommandsTest, RatesHaveUnits) {
  EXPECT_EQ(ParseRate("0"), 0u);
  EXPECT_EQ(ParseRate("64000"), 64000u);
  EXPECT_EQ(ParseRate("64k"), 64000u);
  EXPECT_EQ(ParseRate("1.5M"), 1'500'000u);
  EXPECT_EQ(ParseRate("10G"), 10'000'000'000u);
  for (const char* wrong : {"", "k", "-1", "1K", "1.2.3", "1kk", " 1", "1e9", "9999999G"}) {
    EXPECT_FALSE(ParseRate(wrong)) << wrong;
  }
}

TEST_F(DataplaneCommandsTest, Dataplane) {
  EXPECT_EQ(Run(ShowDataplane), 0);
  EXPECT_THAT(out_, HasSubstr("4 calls; 5 of 4096 packet buffers in use\n\nWORKER"));
  options_.output = "json";
  EXPECT_EQ(Run(ShowDataplane), 0);
  EXPECT_THAT(out_, HasSubstr("\"cycles\": \"1234\""));
  view_.away_ = true;
  EXPECT_EQ(Run(ShowDataplane), 1);
  EXPECT_EQ(err_, "culvertctl: the data plane is not connected\n");
}

TEST_F(DataplaneCommandsTest, TablesShowStagesAndTheDropsThatHappened) {
  const auto lines = DataplaneTables(Example());
  EXPECT_THAT(lines, Contains("0       decrypt        0                -"));
  EXPECT_THAT(lines, Contains("1       decrypt       10            123.4"));
  EXPECT_THAT(lines, Contains("DROP         WORKER 0  WORKER 1  WHAT         SOURCE"));
  EXPECT_THAT(lines, Contains("ttl_expired         0         3  TTL ran out  RFC 1812 s5.3.1"));
  EXPECT_THAT(lines, Contains(testing::EndsWith("                2017         345")));
  EXPECT_THAT(lines, Not(Contains(HasSubstr("never"))));
  EXPECT_THAT(lines, Contains(testing::StartsWith("wan0  down           0     1.5 kB")));
  EXPECT_THAT(lines, Contains("wan0  1               0           6           0"));
}

TEST_F(DataplaneCommandsTest, TracePrintsEachStep) {
  options_.count = 1;
  EXPECT_EQ(Run(TraceCall), 0);
  EXPECT_EQ(out_,
            "2001-09-09 01:46:40.000001 downstream 1400 octets, worker 1\n"
            "  route                    next\n"
            "  ttl                      drop: ttl_expired\n");
  options_.count = 2;
  options_.output = "json";
  EXPECT_EQ(Run(TraceCall), 0);
  EXPECT_EQ(std::count(out_.begin(), out_.end(), '\n'), 2);
  EXPECT_THAT(out_, HasSubstr("\"drop_reason\":\"ttl_expired\""));
}

}  // namespace
}  // namespace culvert::ctl
