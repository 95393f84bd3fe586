// The control plane as a whole: real TCP and gRPC sockets, a fake data plane.
#include "controlplane/shard/shard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "controlplane/shard/control_plane_fixture.h"

namespace culvert {
namespace {

namespace wp = wire::pptp;
using ::culvert::testing::FakeDataplane;
using ::culvert::testing::PppPeer;
using ::culvert::testing::ScriptedClient;
using ::testing::HasSubstr;

TEST_F(ControlPlaneTest, CallIsProgrammedBeforeItIsAccepted) {
  ASSERT_TRUE(Start().ok());
  ScriptedClient client(port_);
  client.Start();
  ASSERT_NE(Dial(client, 70), 0);
  dataplane_->Hold();
  client.Send(wp::OutgoingCallRequest{.call_id = 71});
  client.Send(wp::EchoRequest{.identifier = 5});
  ASSERT_TRUE(dataplane_->WaitFor([](const auto& calls) { return calls.size() == 2; }));
  EXPECT_TRUE(client.Expect<wp::EchoReply>().has_value()) << "no reply to the call before that";
  dataplane_->Release();
  std::optional<wp::OutgoingCallReply> reply = client.Expect<wp::OutgoingCallReply>();
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->result, 1);
  dataplane::v1::CallConfig config = dataplane_->Calls()[HandleOf(reply->call_id)];
  EXPECT_EQ(config.local_address(), kLoopback);
  EXPECT_EQ(config.peer_address(), kLoopback);
  EXPECT_EQ(config.peer_call_id(), 71u);
  EXPECT_EQ(config.receive_window(), 64u);
  EXPECT_EQ(config.client_address(), 0u);
}

TEST_F(ControlPlaneTest, WholeCall) {
  ASSERT_TRUE(Start().ok());
  ScriptedClient client(port_);
  client.Start();
  uint16_t call_id = Dial(client, 7);
  ASSERT_NE(call_id, 0);
  uint64_t handle = HandleOf(call_id);
  PppPeer peer = LogIn(call_id);
  std::vector<management::v1::Call> calls = List();
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls[0].state(), "open");
  EXPECT_EQ(calls[0].user(), "alice");
  EXPECT_EQ(calls[0].auth(), "pap");
  EXPECT_EQ(calls[0].client_address(), config::FormatIpv4(peer.client_address));
  EXPECT_EQ(calls[0].call_id(), call_id);
  EXPECT_EQ(dataplane_->Calls()[handle].client_address(), peer.client_address);
  EXPECT_TRUE(Eventually([&] { return List()[0].upstream_packets() == 7; })) << "counters";

  client.Send(wp::CallClearRequest{.call_id = 7});
  std::optional<wp::CallDisconnectNotify> notify = client.Expect<wp::CallDisconnectNotify>();
  ASSERT_TRUE(notify.has_value());
  EXPECT_EQ(notify->call_id, call_id);
  EXPECT_EQ(notify->result, 4);
  EXPECT_THAT(std::string(notify->statistics.begin(), notify->statistics.end()),
              HasSubstr("rx 7 pkts"));
  EXPECT_TRUE(dataplane_->WaitFor([](const auto& left) { return left.empty(); }));
  EXPECT_TRUE(Eventually([&] { return List().empty(); }));
  EXPECT_NE(client.Dial(7), 0) << "redial on the same connection";
}

TEST_F(ControlPlaneTest, WrongPasswordEndsTheCall) {
  ASSERT_TRUE(Start().ok());
  ScriptedClient client(port_);
  client.Start();
  uint16_t call_id = Dial(client, 7);
  PppPeer peer = LogIn(call_id, "wrong");
  EXPECT_TRUE(peer.pap_refused);
  peer.Run([&] { return List().empty(); });
  EXPECT_TRUE(peer.terminated) << "LCP Terminate comes first";
  std::optional<wp::CallDisconnectNotify> notify = client.Expect<wp::CallDisconnectNotify>();
  ASSERT_TRUE(notify.has_value());
  EXPECT_EQ(notify->result, 1);
}

TEST_F(ControlPlaneTest, OperatorTerminatesThroughLcp) {
  ASSERT_TRUE(Start().ok());
  ScriptedClient client(port_);
  client.Start();
  PppPeer peer = LogIn(Dial(client, 7));
  grpc::ClientContext context;
  management::v1::TerminateCallsRequest request;
  request.set_all(true);
  management::v1::TerminateCallsResponse response;
  ASSERT_TRUE(management_->Terminate(&context, request, &response).ok());
  EXPECT_EQ(response.ids_size(), 1);
  peer.Run([&] { return List().empty(); });
  EXPECT_TRUE(peer.terminated);
  std::optional<wp::CallDisconnectNotify> notify = client.Expect<wp::CallDisconnectNotify>();
  ASSERT_TRUE(notify.has_value());
  EXPECT_EQ(notify->result, 3);
  EXPECT_TRUE(dataplane_->WaitFor([](const auto& left) { return left.empty(); }));
}

TEST_F(ControlPlaneTest, LostConnectionClearsItsCalls) {
  ASSERT_TRUE(Start().ok());
  ScriptedClient client(port_);
  client.Start();
  ASSERT_NE(Dial(client, 1), 0);
  ASSERT_NE(Dial(client, 2), 0);
  client.Close();
  EXPECT_TRUE(dataplane_->WaitFor([](const auto& left) { return left.empty(); }));
  EXPECT_TRUE(Eventually([&] { return List().empty(); }));
}

TEST_F(ControlPlaneTest, ClientThatLeavesWhileItsCallIsProgrammed) {
  ASSERT_TRUE(Start().ok());
  ScriptedClient client(port_);
  client.Start();
  ASSERT_NE(Dial(client, 1), 0);
  dataplane_->Hold();
  client.Send(wp::OutgoingCallRequest{.call_id = 2});
  ASSERT_TRUE(dataplane_->WaitFor([](const auto& calls) { return calls.size() == 2; }));
  client.Close();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  dataplane_->Release();
  EXPECT_TRUE(dataplane_->WaitFor([](const auto& left) { return left.empty(); }));
}

TEST_F(ControlPlaneTest, RefusalOfTheDataPlaneIsPassedOn) {
  ASSERT_TRUE(Start().ok());
  ScriptedClient client(port_);
  client.Start();
  ASSERT_NE(Dial(client, 1), 0);
  dataplane_->SetUpsertError(8, "no room");
  client.Send(wp::OutgoingCallRequest{.call_id = 2});
  std::optional<wp::OutgoingCallReply> reply = client.Expect<wp::OutgoingCallReply>();
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->result, 2);
  EXPECT_EQ(reply->error, 4);
  EXPECT_EQ(List().size(), 1u);
}

TEST_F(ControlPlaneTest, DataPlaneGoesAndComes) {
  ASSERT_TRUE(Start().ok());
  ScriptedClient client(port_);
  client.Start();
  uint16_t call_id = Dial(client, 1);
  ASSERT_NE(call_id, 0);
  dataplane_.reset();
  std::optional<wp::CallDisconnectNotify> notify = client.Expect<wp::CallDisconnectNotify>();
  ASSERT_TRUE(notify.has_value());
  EXPECT_EQ(notify->call_id, call_id);
  EXPECT_EQ(notify->result, 2);
  client.Send(wp::OutgoingCallRequest{.call_id = 2});
  std::optional<wp::OutgoingCallReply> refused = client.Expect<wp::OutgoingCallReply>();
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->result, 2);
  EXPECT_EQ(refused->error, 4);
  StartDataplane();
  dataplane_->AddStrayCall(0x500000001);
  ScriptedClient again(port_);
  again.Start();
  EXPECT_NE(Dial(again, 3), 0);
  EXPECT_TRUE(dataplane_->WaitFor([](const auto& calls) { return calls.size() == 1; }))
      << "the stray call is removed";
}

TEST_F(ControlPlaneTest, SecondControllerLeavesTheFirstOnesCallsAlone) {
  ASSERT_TRUE(Start().ok());
  ScriptedClient client(port_);
  client.Start();
  ASSERT_NE(Dial(client, 1), 0);
  config::v1::Config config = Configuration();
  uint16_t other_port = FreePort();
  config.mutable_pptp()->set_listen(0, absl::StrCat("127.0.0.1:", other_port));
  config.mutable_management()->set_socket(folder_ + "/mgmt2");
  auto second = ControlPlane::Start(config, {}, {.version = "test"});
  ASSERT_TRUE(second.ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  EXPECT_EQ(dataplane_->Calls().size(), 1u);
  ScriptedClient refused(other_port);
  refused.Start();
  EXPECT_EQ(refused.Dial(1), 0);
}

TEST_F(ControlPlaneTest, HungDataPlaneCountsAsGone) {
  ASSERT_TRUE(Start().ok());
  ScriptedClient client(port_);
  client.Start();
  ASSERT_NE(Dial(client, 1), 0);
  dataplane_->Hold();
  client.Send(wp::OutgoingCallRequest{.call_id = 2});
  std::this_thread::sleep_for(DataplaneSession::kAnswerTimeout - std::chrono::seconds(2));
  std::optional<wp::Message> first = client.Receive();
  std::optional<wp::Message> second = client.Receive();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(wp::TypeOf(*first), wp::MessageType::kOutgoingCallReply);
  EXPECT_EQ(wp::TypeOf(*second), wp::MessageType::kCallDisconnectNotify);
}

TEST_F(ControlPlaneTest, StopTellsClientsAndDataPlane) {
  ASSERT_TRUE(Start().ok());
  ScriptedClient client(port_);
  client.Start();
  ASSERT_NE(Dial(client, 1), 0);
  ASSERT_NE(Dial(client, 2), 0);
  auto begin = std::chrono::steady_clock::now();
  std::thread stopper([&] { plane_->Stop(); });
  for (int i = 0; i < 2; ++i) {
    std::optional<wp::CallDisconnectNotify> notify = client.Expect<wp::CallDisconnectNotify>();
    ASSERT_TRUE(notify.has_value());
    EXPECT_EQ(notify->result, 3);
  }
  std::optional<wp::StopRequest> stop = client.Expect<wp::StopRequest>();
  ASSERT_TRUE(stop.has_value());
  EXPECT_EQ(stop->reason, 3);
  client.Send(wp::StopReply{});
  EXPECT_TRUE(client.Closed());
  stopper.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
  EXPECT_TRUE(dataplane_->Calls().empty());
}

TEST_F(ControlPlaneTest, StopDoesNotWaitForSilentClients) {
  ASSERT_TRUE(Start().ok());
  ScriptedClient silent(port_);
  ScriptedClient established(port_);
  established.Start();
  auto begin = std::chrono::steady_clock::now();
  plane_->Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  EXPECT_TRUE(silent.Closed());
  EXPECT_TRUE(established.Closed());
}

TEST_F(ControlPlaneTest, MalformedOctetsCloseTheConnection) {
  ASSERT_TRUE(Start().ok());
  ScriptedClient client(port_);
  client.Start();
  client.SendOctets(std::vector<uint8_t>(16, 0xff));
  EXPECT_TRUE(client.Closed());
  ScriptedClient other(port_);
  other.Start();
}

TEST_F(ControlPlaneTest, ConnectionLimit) {
  ASSERT_TRUE(Start("pptp.max_connections = 1\n").ok());
  {
    ScriptedClient first(port_);
    first.Start();
    ScriptedClient second(port_);
    EXPECT_TRUE(second.Closed());
  }
  EXPECT_TRUE(Eventually([&] {
    ScriptedClient third(port_);
    third.Send(wp::StartRequest{});
    return third.Expect<wp::StartReply>().has_value();
  }));
}

TEST_F(ControlPlaneTest, TakenPortIsNamedWithItsRemedy) {
  ASSERT_TRUE(Start().ok());
  Users users;
  config::v1::Config config = Configuration();
  config.mutable_management()->set_socket(folder_ + "/mgmt2");
  absl::Status status = ControlPlane::Start(config, std::move(users), {.version = "test"}).status();
  EXPECT_THAT(std::string(status.message()),
              ::testing::AllOf(HasSubstr(absl::StrCat("127.0.0.1:", port_)),
                               HasSubstr("another process has it"), HasSubstr("pptp.listen")));
}

TEST_F(ControlPlaneTest, AddressesThatAreNotThereYetCanBeListenedOn) {
  config::v1::Config config = Configuration();
  config.mutable_pptp()->set_listen(0, absl::StrCat("192.0.2.77:", port_));
  EXPECT_TRUE(ControlPlane::Start(config, {}, {.version = "test"}).ok());
}

}  // namespace
}  // namespace culvert
