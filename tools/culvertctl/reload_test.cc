// `reload` against a server that answers as told.
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

class FakeConfiguration final : public management::v1::Configuration::Service {
 public:
  grpc::Status Reload(grpc::ServerContext*, const management::v1::ReloadRequest*,
                      management::v1::ReloadResponse* response) override {
    ++num_asked_;
    *response = response_;
    return status_;
  }
  management::v1::ReloadResponse response_;
  grpc::Status status_;
  int num_asked_ = 0;
};

class ReloadCommandTest : public testing::Test {
 protected:
  void SetUp() override {
    grpc::ServerBuilder builder;
    builder.RegisterService(&configuration_);
    server_ = builder.BuildAndStart();
    stub_ = management::v1::Configuration::NewStub(server_->InProcessChannel({}));
  }
  void TearDown() override { server_->Shutdown(); }

  int Run() {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int status = ReloadConfiguration(options_, stub_.get());
    std::fflush(stdout);
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return status;
  }

  FakeConfiguration configuration_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<ConfigurationStub> stub_;
  Options options_;
  std::string out_, err_;
};

TEST_F(ReloadCommandTest, NothingHasChanged) {
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(out_, "nothing to apply\n");
  EXPECT_EQ(configuration_.num_asked_, 1);
}

TEST_F(ReloadCommandTest, TellsWhatHoldsAndWhatWaits) {
  configuration_.response_.add_applied("pools[0].ranges");
  configuration_.response_.add_applied("ppp.mtu");
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(out_, "applied:\n  pools[0].ranges\n  ppp.mtu\n");
  configuration_.response_.clear_applied();
  configuration_.response_.add_needs_restart("control.shards");
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(out_, "nothing to apply\nneeds a restart:\n  control.shards\n");
  options_.output = "json";
  EXPECT_EQ(Run(), 0);
  EXPECT_THAT(out_, HasSubstr("\"needs_restart\": ["));
  EXPECT_THAT(out_, HasSubstr("\"applied\": []"));
}

TEST_F(ReloadCommandTest, AWrongFileIsTold) {
  configuration_.status_ = {grpc::StatusCode::INVALID_ARGUMENT,
                            "culvert.toml:3: ppp.mtu: must be 576 to 1500"};
  EXPECT_EQ(Run(), 2);
  EXPECT_EQ(out_, "");
  EXPECT_EQ(err_, "culvertctl: culvert.toml:3: ppp.mtu: must be 576 to 1500\n");
}

}  // namespace
}  // namespace culvert::ctl
