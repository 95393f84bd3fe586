// Several shards: calls live and end on all of them, and what they share holds for them together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "controlplane/shard/many_shards/many_shards_fixture.h"

namespace culvert {
namespace {

namespace wp = wire::pptp;
using ::culvert::testing::PppPeer;
using ::culvert::testing::ScriptedClient;
using ::testing::HasSubstr;

TEST_F(ManyShardsTest, CallsOfAllShardsLiveAndEnd) {
  ASSERT_TRUE(StartShards(4).ok());
  std::set<uint32_t> addresses;
  std::vector<Line> lines = LogInEach(&addresses);
  EXPECT_EQ(addresses.size(), 4u);
  EXPECT_TRUE(Eventually([&] {
    return std::all_of(lines.begin(), lines.end(), [&](const Line& line) {
      return Shown(line.call_id)->upstream_packets() == 7;
    });
  })) << "counters";

  for (const Line& line : lines) {
    management::v1::SetRateRequest request;
    request.set_id(Shown(line.call_id)->id());
    request.set_upstream_bps(uint64_t{line.call_id} * 100'000);
    management::v1::SetRateResponse response;
    grpc::ClientContext context;
    ASSERT_TRUE(management_->SetRate(&context, request, &response).ok());
    EXPECT_EQ(dataplane_->Calls()[HandleOf(line.call_id)].upstream_policer().committed_bps(),
              uint64_t{line.call_id} * 100'000);
  }
  dataplane_->Happen(HandleOf(lines[1].call_id), dataplane::v1::Event::SEQUENCE_RESTART);
  EXPECT_TRUE(lines[1].client->Expect<wp::CallDisconnectNotify>().has_value()) << "events";
  lines[2].client->Close();
  EXPECT_TRUE(Eventually([&] { return List().size() == 2; }));
  EXPECT_TRUE(IsOpen(lines[0].call_id));
  EXPECT_TRUE(IsOpen(lines[3].call_id));
}

TEST_F(ManyShardsTest, OperatorTerminatesCallsOfAllShards) {
  ASSERT_TRUE(StartShards(3).ok());
  std::vector<Line> lines = DialEach();
  grpc::ClientContext context;
  management::v1::TerminateCallsRequest request;
  request.set_all(true);
  management::v1::TerminateCallsResponse response;
  ASSERT_TRUE(management_->Terminate(&context, request, &response).ok());
  for (Line& line : lines) {
    EXPECT_TRUE(line.client->Expect<wp::CallDisconnectNotify>().has_value());
  }
  EXPECT_TRUE(Empty());
}

TEST_F(ManyShardsTest, ConnectionLimitsAreOfAllShardsTogether) {
  ASSERT_TRUE(StartShards(4, "pptp.max_connections = 9\npptp.sources.max_connections = 7\n").ok());
  std::vector<std::unique_ptr<ScriptedClient>> clients;
  for (int i = 0; i < 7; ++i) {
    clients.push_back(std::make_unique<ScriptedClient>(port_));
    clients.back()->Start();
  }
  for (int i = 0; i < 10; ++i) {
    ScriptedClient refused(port_);
    EXPECT_TRUE(refused.Closed()) << i;
  }
  clients.pop_back();
  EXPECT_TRUE(Eventually([&] {
    ScriptedClient again(port_);
    again.Send(wp::StartRequest{});
    return again.Expect<wp::StartReply>().has_value();
  })) << "there is room again, whichever shard it comes to";
}

TEST_F(ManyShardsTest, MaxConnectionsIsNotDividedAmongShards) {
  ASSERT_TRUE(StartShards(4, "pptp.max_connections = 6\n").ok());
  std::vector<std::unique_ptr<ScriptedClient>> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(std::make_unique<ScriptedClient>(port_));
    clients.back()->Start();
  }
  ScriptedClient refused(port_);
  EXPECT_TRUE(refused.Closed());
}

TEST_F(ManyShardsTest, SessionOfAUserIsReplacedOnAnotherShard) {
  ASSERT_TRUE(
      StartShards(2, "policy.sessions_per_user = 1\npolicy.excess_sessions = \"replace\"\n").ok());
  Line before = DialOn(0);
  LogInTo(before);
  ASSERT_TRUE(IsOpen(before.call_id));
  for (size_t shard : {1, 0, 1}) {
    Line now = DialOn(shard);
    LogInTo(now);
    EXPECT_TRUE(IsOpen(now.call_id));
    EXPECT_TRUE(before.client->Expect<wp::CallDisconnectNotify>().has_value());
    EXPECT_TRUE(Eventually([&] { return !Shown(before.call_id); }));
    before = std::move(now);
  }
}

TEST_F(ManyShardsTest, GuesserIsLockedOutOfAllShards) {
  ASSERT_TRUE(StartShards(2, "auth.lock_out.user_and_source_failures = 2\n").ok());
  const Line first = DialOn(0), second = DialOn(1);
  EXPECT_TRUE(LogInTo(first, "guess").pap_refused);
  EXPECT_TRUE(LogInTo(second, "other").pap_refused);
  for (size_t shard : {0, 1}) {
    const Line third = DialOn(shard);
    EXPECT_TRUE(LogInTo(third, "secret").pap_refused) << "locked out on shard " << shard;
  }
}

TEST_F(ManyShardsTest, EachCallIsAccountedOnce) {
  ASSERT_TRUE(StartShards(3, absl::StrCat("[accounting]\nspool = \"", folder_,
                                          "/spool.sqlite\"\nfile = \"", folder_, "/records\"\n"))
                  .ok());
  std::vector<Line> lines = LogInEach();
  lines[0].client->Close();
  EXPECT_TRUE(Eventually([&] { return List().size() == 2; }));
  plane_->Stop();
  std::multiset<std::string> kinds;
  std::ifstream file(folder_ + "/records");
  for (std::string record; std::getline(file, record);) {
    kinds.insert(record.substr(0, record.find(',')));
  }
  EXPECT_EQ(kinds.count("{\"kind\":\"start\""), 3u);
  EXPECT_EQ(kinds.count("{\"kind\":\"stop\""), 3u);
}

TEST_F(ManyShardsTest, DataPlaneThatGoesTakesTheCallsOfAllShards) {
  ASSERT_TRUE(StartShards(3).ok());
  std::vector<Line> lines = DialEach();
  dataplane_.reset();
  for (Line& line : lines) {
    const auto notify = line.client->Expect<wp::CallDisconnectNotify>();
    ASSERT_TRUE(notify.has_value());
    EXPECT_EQ(notify->result, 2);
  }
  StartDataplane();
  lines = DialEach();
  EXPECT_TRUE(dataplane_->WaitFor([](const auto& calls) { return calls.size() >= 3; }));
}

TEST_F(ManyShardsTest, StopTellsTheClientsOfAllShards) {
  ASSERT_TRUE(StartShards(4).ok());
  std::vector<Line> lines = DialEach();
  const auto begin = std::chrono::steady_clock::now();
  std::thread stopper([&] { plane_->Stop(); });
  for (Line& line : lines) {
    EXPECT_TRUE(line.client->Expect<wp::CallDisconnectNotify>().has_value());
    EXPECT_TRUE(line.client->Expect<wp::StopRequest>().has_value());
    line.client->Send(wp::StopReply{});
    EXPECT_TRUE(line.client->Closed());
  }
  stopper.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
  EXPECT_TRUE(dataplane_->Calls().empty());
}

// Clients dial, log in and hang up on all shards while the process is taken apart without a word.
TEST_F(ManyShardsTest, EndInTheMidstOfLogins) {
  ASSERT_TRUE(
      StartShards(4, "policy.sessions_per_user = 1\npolicy.excess_sessions = \"replace\"\n").ok());
  ASSERT_NE(DialAny().call_id, 0);
  std::vector<std::thread> diallers;
  for (int i = 0; i < 8; ++i) {
    diallers.emplace_back([this] {
      for (int turn = 0; turn < 10; ++turn) {
        ScriptedClient client(port_);
        client.Send(wp::StartRequest{});
        if (!client.Receive() || client.Dial(1) == 0) {
          return;
        }
        client.Send(wp::CallClearRequest{.call_id = 1});
        client.Receive();
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  plane_.reset();
  for (std::thread& dialler : diallers) {
    dialler.join();
  }
}

TEST_F(ManyShardsTest, PortOfAnotherProcessIsNotShared) {
  ASSERT_TRUE(StartShards(2).ok());
  config::v1::Config config = Configuration("control.shards = 2\n");
  config.mutable_management()->set_socket(folder_ + "/mgmt2");
  const absl::Status status = ControlPlane::Start(config, {}, {.version = "test"}).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("another process has it"));
}

}  // namespace
}  // namespace culvert
