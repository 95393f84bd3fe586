// `radius` against a server that answers as told.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>

#include "tools/culvertctl/commands.h"

namespace culvert::ctl {
namespace {

using testing::HasSubstr;

class FakeRadius final : public management::v1::Radius::Service {
 public:
  grpc::Status ListServers(grpc::ServerContext*, const management::v1::ListRadiusServersRequest*,
                           management::v1::ListRadiusServersResponse* response) override {
    if (away_) return {grpc::StatusCode::UNAVAILABLE, "culvert-controlplane is stopping"};
    *response = response_;
    return grpc::Status::OK;
  }
  management::v1::ListRadiusServersResponse response_;
  bool away_ = false;
};

class RadiusCommandTest : public testing::Test {
 protected:
  void SetUp() override {
    grpc::ServerBuilder builder;
    builder.RegisterService(&radius_);
    server_ = builder.BuildAndStart();
    stub_ = management::v1::Radius::NewStub(server_->InProcessChannel({}));
  }
  void TearDown() override { server_->Shutdown(); }

  int Run() {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int status = ShowRadius(options_, stub_.get());
    std::fflush(stdout);
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return status;
  }

  FakeRadius radius_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<RadiusStub> stub_;
  Options options_;
  std::string out_, err_;
};

TEST_F(RadiusCommandTest, ShowsAServerALine) {
  management::v1::RadiusServer* server = radius_.response_.add_servers();
  server->set_name("first");
  server->set_service("authentication");
  server->set_endpoint("192.0.2.1:1812");
  server->set_state(management::v1::RadiusServer::DEAD);
  server->mutable_in_state()->set_seconds(75);
  server->set_requests(12);
  server->set_rejects(3);
  server->mutable_time_p50()->set_nanos(1'250'000);
  server->mutable_time_p99()->set_seconds(2);
  server->set_message_authenticator_seen(true);
  server = radius_.response_.add_servers();
  server->set_name("first");
  server->set_service("accounting");
  server->set_state(management::v1::RadiusServer::ALIVE);
  ASSERT_EQ(Run(), 0);
  EXPECT_EQ(out_,
            "NAME   SERVICE         ENDPOINT        STATE    FOR  PRIORITY  WEIGHT  OUTSTANDING  "
            "REQUESTS  REPEATED  ACCEPTED  REJECTED  CHALLENGED  TIMEOUTS  BAD REPLIES  P50 MS  "
            "P99 MS  SIGNED\n"
            "first  authentication  192.0.2.1:1812  DEAD   1m15s         0       0            0  "
            "      12         0         0         3           0         0            0     1.2  "
            "2000.0  yes\n"
            "first  accounting                      ALIVE     0s         0       0            0  "
            "       0         0         0         0           0         0            0       -  "
            "     -  -\n");
  options_.output = "json";
  ASSERT_EQ(Run(), 0);
  EXPECT_THAT(out_, HasSubstr("\"state\": \"DEAD\""));
  EXPECT_THAT(out_, HasSubstr("\"requests\": \"12\""));
}

TEST_F(RadiusCommandTest, NoServersAndNoAnswer) {
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(out_, "there are no RADIUS servers\n");
  radius_.away_ = true;
  EXPECT_EQ(Run(), 1);
  EXPECT_EQ(err_, "culvertctl: culvert-controlplane is stopping\n");
}

}  // namespace
}  // namespace culvert::ctl
