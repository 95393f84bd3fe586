// The commands against a server that answers as told.
#include "tools/culvertctl/commands.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>

#include "tools/culvertctl/connection.h"

namespace culvert::ctl {
namespace {

using management::v1::CallEvent;
using testing::HasSubstr;
using testing::internal::CaptureStderr;
using testing::internal::CaptureStdout;
using testing::internal::GetCapturedStderr;
using testing::internal::GetCapturedStdout;

// FakeCalls has one call, alice's.
class FakeCalls final : public management::v1::Calls::Service {
 public:
  static management::v1::Call Alice() {
    management::v1::Call call;
    call.set_id("00000000000000aa");
    call.set_user("alice");
    call.set_mppe("none");
    return call;
  }
  grpc::Status List(grpc::ServerContext*, const management::v1::ListCallsRequest* request,
                    management::v1::ListCallsResponse* response) override {
    const std::string& user = request->filter().user();
    if (user.empty() || user == "alice") *response->add_calls() = Alice();
    return grpc::Status::OK;
  }
  grpc::Status Get(grpc::ServerContext*, const management::v1::GetCallRequest* request,
                   management::v1::Call* response) override {
    if (request->id() != Alice().id()) return {grpc::StatusCode::NOT_FOUND, "there is no call"};
    *response = Alice();
    return grpc::Status::OK;
  }
  grpc::Status Watch(grpc::ServerContext*, const management::v1::WatchCallsRequest* request,
                     grpc::ServerWriter<CallEvent>* writer) override {
    interval_ms_ = request->counters_interval_ms();
    CallEvent event;
    event.set_kind(CallEvent::SNAPSHOT);
    *event.mutable_call() = Alice();
    writer->Write(event);
    return {grpc::StatusCode::UNAVAILABLE, "culvert-controlplane is stopping"};
  }
  grpc::Status Terminate(grpc::ServerContext*, const management::v1::TerminateCallsRequest* request,
                         management::v1::TerminateCallsResponse* response) override {
    request_ = *request;
    if (request->filter().user() == "nobody") {
      return {grpc::StatusCode::NOT_FOUND, "no call matches user nobody"};
    }
    response->add_ids(Alice().id());
    return grpc::Status::OK;
  }

  uint32_t interval_ms_ = 0;
  management::v1::TerminateCallsRequest request_;
};

class CommandsTest : public testing::Test {
 protected:
  void SetUp() override {
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    stub_ = management::v1::Calls::NewStub(server_->InProcessChannel({}));
  }
  void TearDown() override { server_->Shutdown(); }

  // Run keeps what the command writes in out_ and err_.
  int Run(int (*command)(const Options&, CallsStub*)) {
    CaptureStdout();
    CaptureStderr();
    const int status = command(options_, stub_.get());
    std::fflush(stdout);
    out_ = GetCapturedStdout();
    err_ = GetCapturedStderr();
    return status;
  }

  FakeCalls service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<CallsStub> stub_;
  Options options_;
  std::string out_, err_;
};

TEST_F(CommandsTest, ListAsTable) {
  EXPECT_EQ(Run(ListCalls), 0);
  EXPECT_THAT(out_, HasSubstr("ID  "));
  EXPECT_THAT(out_, HasSubstr("\n00000000000000aa  alice"));
  EXPECT_EQ(err_, "");
}

TEST_F(CommandsTest, ListAsJsonIsAnArray) {
  options_.output = "json";
  EXPECT_EQ(Run(ListCalls), 0);
  EXPECT_EQ(out_.rfind("[\n{\"id\":\"00000000000000aa\"", 0), 0u) << out_;
  EXPECT_THAT(out_, HasSubstr("\"client_address\":\"\""));
  EXPECT_EQ(out_.substr(out_.size() - 4), "}\n]\n");
}

TEST_F(CommandsTest, AnEmptyListIsAFailureWithAFilterOnly) {
  options_.filter.set_user("nobody");
  EXPECT_EQ(Run(ListCalls), 1);
  EXPECT_EQ(err_, "culvertctl: no call matches\n");
  options_.output = "json";
  EXPECT_EQ(Run(ListCalls), 1);
  EXPECT_EQ(out_, "[]\n");
}

TEST_F(CommandsTest, Get) {
  options_.filter.set_id("00000000000000aa");
  EXPECT_EQ(Run(GetCall), 0);
  EXPECT_THAT(out_, HasSubstr("user            alice\n"));
  options_.filter.set_id("00000000000000ab");
  EXPECT_EQ(Run(GetCall), 1);
  EXPECT_EQ(err_, "culvertctl: there is no call\n");
}

TEST_F(CommandsTest, WatchAsLinesAndJsonLines) {
  EXPECT_EQ(Run(WatchCalls), 1);  // the server has ended it
  EXPECT_THAT(out_, HasSubstr("SNAPSHOT      id=00000000000000aa user=alice\n"));
  EXPECT_EQ(err_, "culvertctl: culvert-controlplane is stopping\n");
  EXPECT_EQ(service_.interval_ms_, 0u);
  options_.output = "json";
  options_.interval_s = 0.2;
  EXPECT_EQ(Run(WatchCalls), 1);
  EXPECT_EQ(out_.rfind("{\"kind\":\"SNAPSHOT\",", 0), 0u) << out_;
  EXPECT_EQ(service_.interval_ms_, 200u);
}

TEST_F(CommandsTest, Terminate) {
  options_.filter.set_user("alice");
  EXPECT_EQ(Run(TerminateCalls), 0);
  EXPECT_EQ(out_, "00000000000000aa is asked to end\n");
  EXPECT_FALSE(service_.request_.all());
  options_.filter.Clear();
  options_.all = true;
  options_.output = "json";
  EXPECT_EQ(Run(TerminateCalls), 0);
  EXPECT_THAT(out_, HasSubstr("\"ids\": [\n  \"00000000000000aa\"\n ]"));
  EXPECT_TRUE(service_.request_.all());
  options_.filter.set_user("nobody");
  EXPECT_EQ(Run(TerminateCalls), 1);
  EXPECT_EQ(err_, "culvertctl: no call matches user nobody\n");
}

TEST(Connect, NamesTheSocketAndTheRemedy) {
  CaptureStderr();
  EXPECT_EQ(Connect("/nonexistent/management.sock"), nullptr);
  EXPECT_EQ(
      GetCapturedStderr(),
      "culvertctl: /nonexistent/management.sock: No such file or directory: is "
      "culvert-controlplane running? Start it, or name its management.socket with --socket\n");
}

}  // namespace
}  // namespace culvert::ctl
