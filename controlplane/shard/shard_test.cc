// The control plane as a whole: real TCP and gRPC sockets, a fake data plane.
#include "controlplane/shard/shard.h"

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "controlplane/control_plane.h"
#include "controlplane/dataplane_client/fake_dataplane.h"
#include "controlplane/settings.h"
#include "controlplane/shard/scripted_client.h"
#include "culvert/management/v1/management.grpc.pb.h"

namespace culvert {
namespace {

namespace wp = wire::pptp;
using ::culvert::testing::FakeDataplane;
using ::culvert::testing::PppPeer;
using ::culvert::testing::ScriptedClient;
using ::testing::HasSubstr;

constexpr uint32_t kLoopback = 0x7f000001;

uint16_t FreePort() {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t len = sizeof address;
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), len), 0);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &len), 0);
  close(fd);
  return ntohs(address.sin_port);
}

class ControlPlaneTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "culvert-XXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    port_ = FreePort();
    StartDataplane();
  }
  void TearDown() override {
    plane_.reset();
    dataplane_.reset();
    for (const char* name : {"/dp", "/mgmt", "/users"}) {
      unlink((folder_ + name).c_str());
    }
    rmdir(folder_.c_str());
  }

  void StartDataplane() { dataplane_ = std::make_unique<FakeDataplane>(folder_ + "/dp"); }
  config::v1::Config Configuration(const std::string& more = "") {
    std::string text = absl::StrCat(
        "dataplane.socket = \"", folder_, "/dp\"\npptp.listen = [\"127.0.0.1:", port_, "\"]\n",
        "management.socket = \"", folder_, "/mgmt\"\nmetrics.listen = \"\"\n",
        "auth.methods = [\"pap\"]\nauth.users_file = \"/nowhere\"\nppp.mppe = \"deny\"\n", more);
    config::Loaded loaded = config::LoadText(text, "test.toml", config::Process::kControlplane);
    for (const config::Problem& problem : loaded.problems) {
      ADD_FAILURE() << config::Format(problem);
    }
    return loaded.config;
  }
  absl::Status Start(const std::string& more = "") {
    constexpr std::string_view kPassword = "secret";
    Users users;
    users.Insert(
        "alice",
        {.password = Secret({reinterpret_cast<const uint8_t*>(kPassword.data()), kPassword.size()}),
         .nt_hash = {},
         .fixed_address = 0,
         .grants = grants_});
    auto plane = ControlPlane::Start(Configuration(more), std::move(users), "test");
    if (!plane.ok()) {
      return plane.status();
    }
    plane_ = std::move(*plane);
    auto channel = grpc::CreateChannel(absl::StrCat("unix:", folder_, "/mgmt"),
                                       grpc::InsecureChannelCredentials());
    management_ = management::v1::Calls::NewStub(channel);
    dataplane_view_ = management::v1::Dataplane::NewStub(channel);
    return absl::OkStatus();
  }
  // Dial tries until the data plane is connected.
  uint16_t Dial(ScriptedClient& client, uint16_t peer_call_id) {
    for (int i = 0; i < 100; ++i) {
      if (uint16_t call_id = client.Dial(peer_call_id)) {
        return call_id;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return 0;
  }
  std::vector<management::v1::Call> List() {
    grpc::ClientContext context;
    management::v1::ListCallsResponse response;
    EXPECT_TRUE(management_->List(&context, {}, &response).ok());
    return {response.calls().begin(), response.calls().end()};
  }
  bool Eventually(const std::function<bool()>& condition) {
    for (int i = 0; i < 500; ++i) {
      if (condition()) {
        return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  uint64_t HandleOf(uint16_t call_id) {
    for (const auto& [handle, config] : dataplane_->Calls()) {
      if (config.call_id() == call_id) {
        return handle;
      }
    }
    return 0;
  }
  // LogIn goes through PPP until the directory has the call open.
  PppPeer LogIn(uint16_t call_id, const std::string& password = "secret") {
    PppPeer peer{.dataplane = dataplane_.get(),
                 .handle = HandleOf(call_id),
                 .user = "alice",
                 .password = password};
    peer.Run([&] { return peer.pap_refused || (!List().empty() && List()[0].state() == "open"); });
    return peer;
  }

  std::string folder_;
  uint16_t port_ = 0;
  std::unique_ptr<FakeDataplane> dataplane_;
  std::unique_ptr<ControlPlane> plane_;
  std::unique_ptr<management::v1::Calls::Stub> management_;
  std::unique_ptr<management::v1::Dataplane::Stub> dataplane_view_;
  CallGrants grants_;  // alice's
};

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

// What the data plane finds out of a call, and how the client hears of it.
struct EventCase {
  dataplane::v1::Event::Kind kind;
  uint16_t result;  // of Call-Disconnect-Notify
  bool through_lcp;
};
class ControlPlaneEventTest : public ControlPlaneTest,
                              public ::testing::WithParamInterface<EventCase> {};

TEST_P(ControlPlaneEventTest, EndsTheCall) {
  ASSERT_TRUE(Start().ok());
  ScriptedClient client(port_);
  client.Start();
  PppPeer peer = LogIn(Dial(client, 7));
  dataplane_->Happen(12345, GetParam().kind);  // a call that is gone
  dataplane_->Happen(peer.handle, GetParam().kind);
  peer.Run([&] { return List().empty(); });
  EXPECT_EQ(peer.terminated, GetParam().through_lcp);
  std::optional<wp::CallDisconnectNotify> notify = client.Expect<wp::CallDisconnectNotify>();
  ASSERT_TRUE(notify.has_value());
  EXPECT_EQ(notify->result, GetParam().result);
  EXPECT_TRUE(dataplane_->WaitFor([](const auto& left) { return left.empty(); }));
}

INSTANTIATE_TEST_SUITE_P(All, ControlPlaneEventTest,
                         ::testing::Values(EventCase{dataplane::v1::Event::DEAD, 1, true},
                                           EventCase{dataplane::v1::Event::IDLE, 3, true},
                                           EventCase{dataplane::v1::Event::QUOTA, 3, true},
                                           EventCase{dataplane::v1::Event::SEQUENCE_RESTART, 1,
                                                     false}));

TEST_F(ControlPlaneTest, CallsAreProgrammedAsConfigured) {
  grants_.routes = {{.address = 0x0a090000, .length = 16}};
  grants_.downstream_bps = 64000;
  const std::string more = absl::StrCat(
      "ppp.idle_timeout_s = 600\nppp.octet_quota_mb = 2\nppp.echo_interval_s = 20\n"
      "pptp.reorder_packets = 8\npptp.reorder_delay_ms = 5\npptp.honour_peer_window = true\n"
      "pptp.dont_fragment = true\npptp.dscp = 46\n"
      "pptp.rates = [{upstream_kbps = 8}, {listen = \"127.0.0.1:",
      port_, "\", upstream_kbps = 16, downstream_kbps = 32}]\n");
  ASSERT_TRUE(Start(more).ok());
  ScriptedClient client(port_);
  client.Start();
  const uint16_t call_id = Dial(client, 7);
  dataplane::v1::CallConfig config = dataplane_->Calls()[HandleOf(call_id)];
  EXPECT_EQ(config.reorder().packets(), 8u);
  EXPECT_EQ(config.reorder().delay_ms(), 5u);
  EXPECT_EQ(config.peer_window(), 64u);
  EXPECT_TRUE(config.outer().dont_fragment());
  EXPECT_EQ(config.outer().dscp(), 46u);
  EXPECT_EQ(config.idle_timeout_s(), 600u);
  EXPECT_EQ(config.octet_quota(), 2'000'000u);
  EXPECT_EQ(config.upstream_policer().committed_bps(), 16000u);
  EXPECT_EQ(config.downstream_policer().committed_bps(), 32000u);
  EXPECT_FALSE(config.has_keepalive()) << "LCP is not open";

  LogIn(call_id);
  config = dataplane_->Calls()[HandleOf(call_id)];
  EXPECT_EQ(config.upstream_policer().committed_bps(), 16000u) << "the listener's";
  EXPECT_EQ(config.downstream_policer().committed_bps(), 64000u) << "the user's";
  ASSERT_EQ(config.routes_size(), 1);
  EXPECT_EQ(config.routes(0).address(), std::string("\x0a\x09\x00\x00", 4));
  EXPECT_EQ(config.routes(0).length(), 16u);
  EXPECT_EQ(config.keepalive().interval_s(), 20u);
  EXPECT_EQ(config.keepalive().misses(), 4u);
  EXPECT_NE(config.keepalive().magic(), 0u);
}

TEST_F(ControlPlaneTest, OperatorChangesTheRate) {
  ASSERT_TRUE(Start().ok());
  ScriptedClient client(port_);
  client.Start();
  PppPeer peer = LogIn(Dial(client, 7));
  management::v1::SetRateRequest request;
  request.set_id(List()[0].id());
  request.set_upstream_bps(100'000);
  management::v1::SetRateResponse response;
  const auto set = [&] {
    grpc::ClientContext context;
    return management_->SetRate(&context, request, &response);
  };
  ASSERT_TRUE(set().ok());
  EXPECT_EQ(response.upstream_bps(), 100'000u);
  EXPECT_EQ(response.downstream_bps(), 0u);
  dataplane::v1::CallConfig config = dataplane_->Calls()[peer.handle];
  EXPECT_EQ(config.upstream_policer().committed_bps(), 100'000u);
  EXPECT_FALSE(config.has_downstream_policer());
  EXPECT_EQ(config.client_address(), peer.client_address) << "all else is as it was";
  request.set_upstream_bps(0);
  request.set_downstream_bps(9000);
  ASSERT_TRUE(set().ok());
  config = dataplane_->Calls()[peer.handle];
  EXPECT_FALSE(config.has_upstream_policer());
  EXPECT_EQ(config.downstream_policer().committed_bps(), 9000u);
  EXPECT_EQ(List()[0].state(), "open");
  request.set_id("00000000000000aa");
  EXPECT_EQ(set().error_code(), grpc::NOT_FOUND);
}

TEST_F(ControlPlaneTest, OperatorSeesTheDataPlane) {
  ASSERT_TRUE(Start().ok());
  ScriptedClient client(port_);
  client.Start();
  ASSERT_NE(Dial(client, 7), 0);
  management::v1::GetDataplaneResponse response;
  ASSERT_TRUE(Eventually([&] {
    grpc::ClientContext context;
    return dataplane_view_->Get(&context, {}, &response).ok();
  }));
  EXPECT_EQ(response.workers(0).stages(0).cycles(), 400u);
  EXPECT_EQ(response.ports(0).name(), "wan0");
  EXPECT_EQ(response.mbufs_total(), 77u);

  grpc::ClientContext context;
  management::v1::TraceCallRequest request;
  request.set_id(List()[0].id());
  request.set_count(3);
  const auto reader = dataplane_view_->TraceCall(&context, request);
  dataplane::v1::TracedPacket packet;
  ASSERT_TRUE(reader->Read(&packet));
  EXPECT_EQ(packet.length(), 3u);
  EXPECT_EQ(packet.steps(0).drop_reason(), "ttl_expired");
  EXPECT_FALSE(reader->Read(&packet));
  EXPECT_TRUE(reader->Finish().ok());
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
  auto second = ControlPlane::Start(config, {}, "test");
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
  std::this_thread::sleep_for(std::chrono::seconds(3));
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
  absl::Status status = ControlPlane::Start(config, std::move(users), "test").status();
  EXPECT_THAT(std::string(status.message()),
              ::testing::AllOf(HasSubstr(absl::StrCat("127.0.0.1:", port_)),
                               HasSubstr("another process has it"), HasSubstr("pptp.listen")));
}

TEST_F(ControlPlaneTest, AddressesThatAreNotThereYetCanBeListenedOn) {
  config::v1::Config config = Configuration();
  config.mutable_pptp()->set_listen(0, absl::StrCat("192.0.2.77:", port_));
  EXPECT_TRUE(ControlPlane::Start(config, {}, "test").ok());
}

}  // namespace
}  // namespace culvert
