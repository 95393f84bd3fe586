#include "controlplane/management/management_server.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace culvert {
namespace {

using management::v1::Call;
using management::v1::CallEvent;
using testing::ElementsAre;
using testing::HasSubstr;

CallRecord Record(uint64_t id, const std::string& user) {
  CallRecord record;
  record.id = id;
  record.handle = id;
  record.user = user;
  record.peer_address = 0xc0000200 + static_cast<uint32_t>(id);
  record.started_ms = 1'000;
  return record;
}

class ManagementServerTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "culvert-XXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    path_ = folder_ + "/management.sock";
  }
  void TearDown() override {
    server_.reset();
    unlink(path_.c_str());
    rmdir(folder_.c_str());
  }

  absl::Status Start() {
    auto server = ManagementServer::Start(
        path_, {.directory = &directory_,
                .terminate = [this](const std::vector<uint64_t>& ids) { terminated_ = ids; },
                .change =
                    [this](uint64_t id, const CallChange& change, const CallChanged& done) {
                      changed_ = {id, change};
                      done(rates_);
                    },
                .round = &round_,
                .dataplane = &dataplane_});
    if (!server.ok()) return server.status();
    server_ = std::move(*server);
    channel_ = grpc::CreateChannel("unix:" + path_, grpc::InsecureChannelCredentials());
    stub_ = management::v1::Calls::NewStub(channel_);
    dataplane_stub_ = management::v1::Dataplane::NewStub(channel_);
    return absl::OkStatus();
  }

  grpc::Status Terminate(const management::v1::TerminateCallsRequest& request,
                         management::v1::TerminateCallsResponse* response) {
    grpc::ClientContext context;
    return stub_->Terminate(&context, request, response);
  }

  grpc::Status SetRate(const management::v1::SetRateRequest& request,
                       management::v1::SetRateResponse* response) {
    grpc::ClientContext context;
    return stub_->SetRate(&context, request, response);
  }

  std::string folder_, path_;
  CallDirectory directory_;
  LastRound round_;
  DataplaneClient dataplane_{"unix:/nowhere", {}};  // never started
  std::pair<uint64_t, CallChange> changed_;
  absl::StatusOr<CallRates> rates_ = CallRates{.upstream_bps = 8000, .downstream_bps = 0};
  std::unique_ptr<ManagementServer> server_;
  std::unique_ptr<management::v1::Calls::Stub> stub_;
  std::unique_ptr<management::v1::Dataplane::Stub> dataplane_stub_;
  std::shared_ptr<grpc::Channel> channel_;
  std::vector<uint64_t> terminated_;
};

TEST_F(ManagementServerTest, SetsRates) {
  ASSERT_TRUE(Start().ok());
  management::v1::SetRateRequest request;
  request.set_id("00000000000000aa");
  request.set_upstream_bps(8000);
  management::v1::SetRateResponse response;
  ASSERT_TRUE(SetRate(request, &response).ok());
  EXPECT_EQ(changed_.first, 0xaau);
  EXPECT_EQ(changed_.second.upstream_bps, 8000u);
  EXPECT_FALSE(changed_.second.downstream_bps.has_value());
  EXPECT_EQ(response.upstream_bps(), 8000u);
  rates_ = absl::NotFoundError("the call has ended");
  const grpc::Status status = SetRate(request, &response);
  EXPECT_EQ(status.error_code(), grpc::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "call 00000000000000aa: the call has ended");
}

TEST_F(ManagementServerTest, RefusesBadRates) {
  ASSERT_TRUE(Start().ok());
  management::v1::SetRateRequest request;
  management::v1::SetRateResponse response;
  const auto refused = [&](const char* text) {
    const grpc::Status status = SetRate(request, &response);
    EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT);
    EXPECT_THAT(status.error_message(), HasSubstr(text));
  };
  request.set_id("aa");
  refused("id: \"aa\" is not");
  request.set_id("00000000000000aa");
  refused("upstream_bps, downstream_bps: set at least one");
  request.set_downstream_bps(7999);
  refused("downstream_bps: 7999 is out of range");
  request.set_downstream_bps(0);
  request.set_upstream_bps(1'000'000'000'001);
  refused("upstream_bps: 1000000000001 is out of range");
  EXPECT_EQ(changed_.first, 0u);
}

TEST_F(ManagementServerTest, ShowsTheDataplanesLastRound) {
  ASSERT_TRUE(Start().ok());
  management::v1::GetDataplaneResponse response;
  const auto get = [&] {
    grpc::ClientContext context;
    return dataplane_stub_->Get(&context, {}, &response);
  };
  EXPECT_EQ(get().error_code(), grpc::UNAVAILABLE);
  dataplane::v1::CountersResponse round;
  round.add_workers()->set_received(5);
  round.add_ports()->set_name("wan0");
  round.set_num_calls(3);
  round.set_mbufs_in_use(1);
  round.set_mbufs_total(2);
  round.set_end_of_round(true);
  round_.Take(round);
  dataplane::v1::CountersResponse part;  // of the next round, with calls only
  part.add_calls();
  round_.Take(part);
  ASSERT_TRUE(get().ok());
  ASSERT_EQ(response.workers_size(), 1);
  EXPECT_EQ(response.workers(0).received(), 5u);
  ASSERT_EQ(response.ports_size(), 1);
  EXPECT_EQ(response.num_calls(), 3u);
  EXPECT_EQ(response.mbufs_in_use(), 1u);
  EXPECT_EQ(response.mbufs_total(), 2u);
  round_.SetUp(false);
  EXPECT_EQ(get().error_code(), grpc::UNAVAILABLE);
}

TEST_F(ManagementServerTest, TraceRefusesWhatItCannotDo) {
  ASSERT_TRUE(Start().ok());
  directory_.Publish(CallEvent::STARTED, Record(0xaa, "alice"));
  for (const auto& [id, count, code] :
       {std::tuple{"aa", 1u, grpc::INVALID_ARGUMENT},
        std::tuple{"00000000000000aa", 0u, grpc::INVALID_ARGUMENT},
        std::tuple{"00000000000000aa", 10001u, grpc::INVALID_ARGUMENT},
        std::tuple{"00000000000000bb", 1u, grpc::NOT_FOUND},
        std::tuple{"00000000000000aa", 1u, grpc::UNAVAILABLE}}) {
    grpc::ClientContext context;
    management::v1::TraceCallRequest request;
    request.set_id(id);
    request.set_count(count);
    const auto reader = dataplane_stub_->TraceCall(&context, request);
    dataplane::v1::TracedPacket packet;
    EXPECT_FALSE(reader->Read(&packet));
    EXPECT_EQ(reader->Finish().error_code(), code) << id << " " << count;
  }
}

TEST_F(ManagementServerTest, ListsAndGets) {
  ASSERT_TRUE(Start().ok());
  directory_.Publish(CallEvent::STARTED, Record(1, "alice"));
  directory_.Publish(CallEvent::STARTED, Record(2, "bob"));
  grpc::ClientContext list_context, filtered_context, get_context;
  management::v1::ListCallsRequest request;
  management::v1::ListCallsResponse response;
  ASSERT_TRUE(stub_->List(&list_context, request, &response).ok());
  EXPECT_EQ(response.calls_size(), 2);
  request.mutable_filter()->set_user("bob");
  ASSERT_TRUE(stub_->List(&filtered_context, request, &response).ok());
  ASSERT_EQ(response.calls_size(), 1);
  EXPECT_EQ(response.calls(0).peer_address(), "192.0.2.2");
  management::v1::GetCallRequest get;
  get.set_id("0000000000000001");
  Call call;
  ASSERT_TRUE(stub_->Get(&get_context, get, &call).ok());
  EXPECT_EQ(call.user(), "alice");
}

TEST_F(ManagementServerTest, ErrorsNameTheField) {
  ASSERT_TRUE(Start().ok());
  management::v1::ListCallsRequest request;
  management::v1::ListCallsResponse response;
  request.mutable_filter()->set_peer_address("192.0.2");
  grpc::ClientContext list_context;
  grpc::Status status = stub_->List(&list_context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(),
            "filter.peer_address: \"192.0.2\" is not an IPv4 address such as 192.0.2.1");
  management::v1::GetCallRequest get;
  Call call;
  get.set_id("7");
  grpc::ClientContext bad_context, missing_context;
  status = stub_->Get(&bad_context, get, &call);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "id: \"7\" is not a call's id: 16 hex digits");
  get.set_id("0000000000000007");
  status = stub_->Get(&missing_context, get, &call);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "there is no call 0000000000000007");
}

TEST_F(ManagementServerTest, TerminatesByFilterOrAll) {
  ASSERT_TRUE(Start().ok());
  for (uint64_t id : {1, 2, 3}) {
    directory_.Publish(CallEvent::STARTED, Record(id, id == 2 ? "bob" : "alice"));
  }
  management::v1::TerminateCallsRequest request;
  management::v1::TerminateCallsResponse response;
  request.mutable_filter()->set_user("alice");
  ASSERT_TRUE(Terminate(request, &response).ok());
  EXPECT_THAT(terminated_, ElementsAre(1, 3));
  EXPECT_THAT(response.ids(), ElementsAre("0000000000000001", "0000000000000003"));
  request.clear_filter();
  request.set_all(true);
  ASSERT_TRUE(Terminate(request, &response).ok());
  EXPECT_THAT(terminated_, ElementsAre(1, 2, 3));
}

TEST_F(ManagementServerTest, RefusesToTerminateByAccident) {
  ASSERT_TRUE(Start().ok());
  directory_.Publish(CallEvent::STARTED, Record(1, "alice"));
  management::v1::TerminateCallsRequest request;
  management::v1::TerminateCallsResponse response;
  grpc::Status status = Terminate(request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("filter: is empty"));
  request.set_all(true);
  request.mutable_filter()->set_user("alice");
  status = Terminate(request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  request.set_all(false);
  request.mutable_filter()->set_user("nobody");
  status = Terminate(request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "no call matches user nobody");
  EXPECT_TRUE(terminated_.empty());
}

TEST_F(ManagementServerTest, WatchGivesSnapshotEventsAndCounters) {
  ASSERT_TRUE(Start().ok());
  directory_.Publish(CallEvent::STARTED, Record(1, "alice"));
  grpc::ClientContext context;
  management::v1::WatchCallsRequest request;
  request.set_counters_interval_ms(200);
  const auto reader = stub_->Watch(&context, request);
  CallEvent event;
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.kind(), CallEvent::SNAPSHOT);
  EXPECT_EQ(event.call().user(), "alice");
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.kind(), CallEvent::SNAPSHOT_END);
  EXPECT_FALSE(event.has_call());
  directory_.Publish(CallEvent::DOWN, Record(1, "alice"));
  directory_.Publish(CallEvent::STARTED, Record(2, "bob"));
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.kind(), CallEvent::DOWN);
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.kind(), CallEvent::STARTED);
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(reader->Read(&event));
    EXPECT_EQ(event.kind(), CallEvent::COUNTERS);
    EXPECT_EQ(event.call().user(), "bob");
  }
  context.TryCancel();
  while (reader->Read(&event)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(ManagementServerTest, WatchRefusesAShortInterval) {
  ASSERT_TRUE(Start().ok());
  grpc::ClientContext context;
  management::v1::WatchCallsRequest request;
  request.set_counters_interval_ms(199);
  const auto reader = stub_->Watch(&context, request);
  CallEvent event;
  EXPECT_FALSE(reader->Read(&event));
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(),
            "counters_interval_ms: 199 is too short: 0 (off) or at least 200");
}

TEST_F(ManagementServerTest, StopEndsWatchesAndRemovesTheSocket) {
  ASSERT_TRUE(Start().ok());
  grpc::ClientContext context;
  const auto reader = stub_->Watch(&context, {});
  CallEvent event;
  ASSERT_TRUE(reader->Read(&event));  // the end of the empty snapshot
  const auto before = std::chrono::steady_clock::now();
  server_->Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(60));
  EXPECT_FALSE(reader->Read(&event));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_NE(access(path_.c_str(), F_OK), 0);
}

TEST_F(ManagementServerTest, TheSocketIsForOwnerAndGroup) {
  ASSERT_TRUE(Start().ok());
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0660u);
}

// Invoke calls any method of any service with octets as its request.
grpc::Status Invoke(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                    const std::string& octets, std::string* response) {
  const grpc::Slice slice(octets);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer answer;
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  grpc::GenericStub stub(channel);
  const auto call = stub.PrepareUnaryCall(&context, method, request, &queue);
  call->StartCall();
  grpc::Status status;
  call->Finish(&answer, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  grpc::Slice flat;
  if (status.ok() && answer.DumpToSingleSlice(&flat).ok()) {
    response->assign(reinterpret_cast<const char*>(flat.begin()), flat.size());
  }
  return status;
}

TEST_F(ManagementServerTest, HealthAndReflectionAreThere) {
  ASSERT_TRUE(Start().ok());
  std::string response;
  const std::string name = "culvert.management.v1.Calls";
  // HealthCheckRequest.service = name; HealthCheckResponse.status = SERVING.
  grpc::Status status =
      Invoke(channel_, "/grpc.health.v1.Health/Check",
             std::string("\x0a") + static_cast<char>(name.size()) + name, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response, std::string("\x08\x01"));
  // ServerReflectionRequest.list_services = "*".
  status = Invoke(channel_, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                  std::string("\x3a\x01*"), &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(response, HasSubstr(name));
}

TEST_F(ManagementServerTest, ALeftOverSocketIsReplaced) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  close(descriptor);  // the file stays, nobody answers
  EXPECT_TRUE(Start().ok());
}

TEST_F(ManagementServerTest, ALivingServerIsLeftAlone) {
  ASSERT_TRUE(Start().ok());
  const auto second = ManagementServer::Start(path_, {.directory = &directory_,
                                                      .terminate = {},
                                                      .change = {},
                                                      .round = &round_,
                                                      .dataplane = &dataplane_});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(std::string(second.status().message()),
            "management.socket " + path_ +
                ": another process answers there: stop it, or set another management.socket");
  grpc::ClientContext context;
  management::v1::ListCallsResponse response;
  EXPECT_TRUE(stub_->List(&context, {}, &response).ok());
}

TEST_F(ManagementServerTest, WhatIsNoSocketIsLeftAlone) {
  std::ofstream(path_) << "precious";
  const absl::Status status = Start();
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("is there and is no socket"));
  EXPECT_EQ(access(path_.c_str(), F_OK), 0);
}

TEST_F(ManagementServerTest, AMissingFolderIsMadeOrNamed) {
  const std::string folder = path_ = folder_ + "/run/management.sock";
  EXPECT_TRUE(Start().ok());
  server_.reset();
  rmdir((folder_ + "/run").c_str());
  path_ = folder_ + "/a/b/management.sock";
  const absl::Status status = Start();
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("the folder " + folder_ + "/a/b cannot"));
}

}  // namespace
}  // namespace culvert
