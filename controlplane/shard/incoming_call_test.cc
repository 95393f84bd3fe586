// Calls that a dial-in PAC offers (RFC 2637 s3.2.4), through real sockets to the fake data plane.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

#include "controlplane/radius/packet.h"
#include "controlplane/shard/control_plane_fixture.h"

namespace culvert {
namespace {

namespace wp = wire::pptp;
using ::culvert::testing::PppPeer;
using ::culvert::testing::ScriptedClient;

// Offer gives our Call ID of an incoming call that was taken, or 0.
uint16_t Offer(ScriptedClient& pac, uint16_t peer_call_id) {
  pac.Send(wp::IncomingCallRequest{.call_id = peer_call_id});
  std::optional<wp::IncomingCallReply> reply = pac.Expect<wp::IncomingCallReply>();
  return reply && reply->result == 1 && reply->peer_call_id == peer_call_id ? reply->call_id : 0;
}

TEST_F(ControlPlaneTest, IncomingCallFromRequestToDisconnect) {
  ASSERT_TRUE(Start("pptp.honour_peer_window = true\n").ok());
  ScriptedClient pac(port_);
  pac.Start();
  ASSERT_NE(Dial(pac, 70), 0) << "the data plane is connected";
  const uint16_t call_id = Offer(pac, 71);
  ASSERT_NE(call_id, 0);
  const uint64_t handle = HandleOf(call_id);
  ASSERT_NE(handle, 0u);
  // The line is not answered yet: LCP waits, however long the PAC takes.
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  while (std::optional<dataplane::v1::Frame> frame = dataplane_->TakeFrame(1)) {
    EXPECT_NE(frame->handle(), handle) << "before Incoming-Call-Connected";
  }
  pac.Send(wp::IncomingCallConnected{.peer_call_id = call_id, .receive_window = 17});
  PppPeer peer{
      .dataplane = dataplane_.get(), .handle = handle, .user = "alice", .password = "secret"};
  const auto up = [&] {
    for (const management::v1::Call& call : List()) {
      if (call.call_id() == call_id && call.state() == "open") {
        return true;
      }
    }
    return false;
  };
  EXPECT_TRUE(peer.Run(up));
  EXPECT_EQ(dataplane_->Calls()[handle].peer_window(), 17u);
  pac.Send(wp::WanErrorNotify{.peer_call_id = call_id, .crc_errors = 3});
  pac.Send(wp::CallDisconnectNotify{.call_id = 71, .result = 1});
  EXPECT_TRUE(dataplane_->WaitFor([](const auto& calls) { return calls.size() == 1; }));
  pac.Send(wp::EchoRequest{.identifier = 4});
  EXPECT_TRUE(pac.Expect<wp::EchoReply>().has_value()) << "the connection goes on";
}

// UdpPeer is a RADIUS server that hears and says nothing.
class UdpPeer {
 public:
  UdpPeer() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof address;
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), len), 0);
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &len), 0);
    port_ = ntohs(address.sin_port);
  }
  ~UdpPeer() { close(fd_); }
  // Heard: a datagram has come; it is in octets().
  bool Heard() {
    std::array<uint8_t, radius::kMaxPacketLen> buffer;
    const ssize_t len = recv(fd_, buffer.data(), buffer.size(), 0);
    if (len > 0) {
      octets_.assign(buffer.begin(), buffer.begin() + len);
    }
    return len > 0;
  }
  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] const std::vector<uint8_t>& octets() const { return octets_; }

 private:
  int fd_;
  uint16_t port_ = 0;
  std::vector<uint8_t> octets_;
};

TEST_F(ControlPlaneTest, RadiusIsToldTheNumbersOfAnIncomingCall) {
  UdpPeer server;
  ASSERT_TRUE(
      Start(absl::StrCat("auth.backends = [\"radius\"]\n[[radius.servers]]\nname = \"one\"\n"
                         "address = \"127.0.0.1\"\nsecret = \"s\"\nacct_port = 0\n"
                         "auth_port = ",
                         server.port(), "\n"))
          .ok());
  ScriptedClient pac(port_);
  pac.Send(wp::StartRequest{.host_name = wp::ToName("pac1")});
  ASSERT_TRUE(pac.Expect<wp::StartReply>().has_value());
  ASSERT_NE(Dial(pac, 70), 0) << "the data plane is connected";
  pac.Send(wp::IncomingCallRequest{.call_id = 71,
                                   .dialed_number_len = 2,
                                   .dialing_number_len = 5,
                                   .dialed_number = wp::ToName("55"),
                                   .dialing_number = wp::ToName("+4930")});
  const auto reply = pac.Expect<wp::IncomingCallReply>();
  ASSERT_TRUE(reply.has_value());
  pac.Send(wp::IncomingCallConnected{.peer_call_id = reply->call_id, .receive_window = 17});
  PppPeer peer{.dataplane = dataplane_.get(),
               .handle = HandleOf(reply->call_id),
               .user = "alice",
               .password = "secret"};
  ASSERT_TRUE(peer.Run([&server] { return server.Heard(); }));
  const auto packet = radius::Parse(server.octets());
  ASSERT_TRUE(packet.has_value());
  const auto text = [&packet](radius::AttributeId id) {
    const radius::Attribute* attribute = packet->Find(id);
    return attribute == nullptr ? "absent" : std::string(radius::TextOf(attribute->value));
  };
  EXPECT_EQ(text(radius::attr::kCallingStationId), "+4930");
  EXPECT_EQ(text(radius::attr::kCalledStationId), "55");
  EXPECT_EQ(text(radius::attr::kTunnelClientEndpoint), "127.0.0.1");
  EXPECT_EQ(text(radius::attr::kTunnelClientAuthId), "pac1");
}

TEST_F(ControlPlaneTest, IncomingCallThatWeEndIsCleared) {
  ASSERT_TRUE(Start().ok());
  ScriptedClient pac(port_);
  pac.Start();
  ASSERT_NE(Dial(pac, 70), 0);
  const uint16_t call_id = Offer(pac, 71);
  ASSERT_NE(call_id, 0);
  dataplane_->Happen(HandleOf(call_id), dataplane::v1::Event::DEAD);
  std::optional<wp::CallClearRequest> clear = pac.Expect<wp::CallClearRequest>();
  ASSERT_TRUE(clear.has_value());
  EXPECT_EQ(clear->call_id, call_id) << "a PNS clears with its own id";
  EXPECT_TRUE(dataplane_->WaitFor([](const auto& calls) { return calls.size() == 1; }));
  pac.Send(wp::CallDisconnectNotify{.call_id = 71, .result = 4});
  EXPECT_NE(Offer(pac, 71), 0) << "the PAC may use its id again";
}

TEST_F(ControlPlaneTest, IncomingCallWithoutDataPlaneIsRefused) {
  dataplane_->Stop();
  ASSERT_TRUE(Start().ok());
  ScriptedClient pac(port_);
  pac.Start();
  pac.Send(wp::IncomingCallRequest{.call_id = 9});
  std::optional<wp::IncomingCallReply> reply = pac.Expect<wp::IncomingCallReply>();
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->result, 2);
  EXPECT_EQ(reply->error, 4);
}

}  // namespace
}  // namespace culvert
