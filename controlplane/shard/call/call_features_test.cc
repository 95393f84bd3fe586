// What calls are given in the data plane, what it tells of them, and what an operator sees of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/shard/control_plane_fixture.h"

namespace culvert {
namespace {

namespace wp = wire::pptp;
using ::culvert::testing::PppPeer;
using ::culvert::testing::ScriptedClient;

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

// A client that does not answer our Terminate-Request is silent too, but that did not end the call.
TEST_F(ControlPlaneTest, TheFirstReasonForTheEndIsTheOneTold) {
  ASSERT_TRUE(Start().ok());
  ScriptedClient client(port_);
  client.Start();
  PppPeer peer = LogIn(Dial(client, 7));
  dataplane_->Happen(peer.handle, dataplane::v1::Event::IDLE);
  dataplane_->Happen(peer.handle, dataplane::v1::Event::DEAD);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));  // both have come
  peer.Run([&] { return List().empty(); });
  EXPECT_TRUE(peer.terminated);
  std::optional<wp::CallDisconnectNotify> notify = client.Expect<wp::CallDisconnectNotify>();
  ASSERT_TRUE(notify.has_value());
  EXPECT_EQ(notify->result, 3) << "administrative shutdown, not lost carrier";
}

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

TEST_F(ControlPlaneTest, ARefusedChangeLeavesTheCallAsItWas) {
  ASSERT_TRUE(Start().ok());
  ScriptedClient client(port_);
  client.Start();
  PppPeer peer = LogIn(Dial(client, 7));
  management::v1::SetRateRequest request;
  request.set_id(List()[0].id());
  request.set_upstream_bps(100'000);
  management::v1::SetRateResponse response;
  dataplane_->RefuseNextUpsert(grpc::INVALID_ARGUMENT, "upstream_policer: no room");
  grpc::ClientContext context;
  const grpc::Status status = management_->SetRate(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), ::testing::HasSubstr("upstream_policer: no room"));
  EXPECT_EQ(List()[0].state(), "open");
  dataplane::v1::CallConfig config = dataplane_->Calls()[peer.handle];
  EXPECT_FALSE(config.has_upstream_policer());
  EXPECT_EQ(config.client_address(), peer.client_address);
}

TEST_F(ControlPlaneTest, TheSessionTimeoutEndsTheCall) {
  grants_.session_timeout_s = 1;
  ASSERT_TRUE(Start().ok());
  ScriptedClient client(port_);
  client.Start();
  PppPeer peer = LogIn(Dial(client, 7));
  EXPECT_EQ(List()[0].state(), "open");
  peer.Run([&] { return List().empty(); });
  EXPECT_TRUE(peer.terminated);
  std::optional<wp::CallDisconnectNotify> notify = client.Expect<wp::CallDisconnectNotify>();
  ASSERT_TRUE(notify.has_value());
  EXPECT_EQ(notify->result, 3u);
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

}  // namespace
}  // namespace culvert
