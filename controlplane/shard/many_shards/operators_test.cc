// Several shards: what operators and RADIUS servers ask for reaches the shard that has the call,
// and what is told of calls is told of those of all shards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ip/udp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <fstream>

#include "controlplane/radius/signing.h"
#include "controlplane/shard/many_shards/many_shards_fixture.h"

namespace culvert {
namespace {

namespace wp = wire::pptp;
using ::culvert::testing::PppPeer;
using ::culvert::testing::ScriptedClient;
using ::testing::HasSubstr;

// A RADIUS server that changes and ends calls.
class ManyShardsCoaTest : public ManyShardsTest {
 protected:
  absl::Status StartWithCoa() {
    coa_port_ = FreePort();
    return StartShards(
        3, absl::StrCat("[radius.dynamic]\nlisten = [\"127.0.0.1\"]\nport = ", coa_port_,
                        "\n[[radius.dynamic.clients]]\naddress = \"127.0.0.1\"\nsecret = \"",
                        kSecret, "\"\n"));
  }
  // Ask gives the code of the answer, 0: none.
  int Ask(radius::Code code, const radius::AttributeList& attributes) {
    const std::vector<uint8_t> secret(kSecret.begin(), kSecret.end());
    const auto request =
        radius::BuildRequest({.code = code, .identifier = ++identifier_}, attributes, secret);
    asio::io_context loop;
    asio::ip::udp::socket socket(loop);
    socket.connect({asio::ip::address_v4::loopback(), coa_port_});
    socket.send(asio::buffer(*request));
    timeval wait{.tv_sec = 5, .tv_usec = 0};
    setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    std::array<uint8_t, 4096> reply{};
    const ssize_t len = recv(socket.native_handle(), reply.data(), reply.size(), 0);
    return len > 0 ? reply[0] : 0;
  }
  radius::AttributeList Naming(const Line& line) {
    radius::AttributeList attributes;
    attributes.AddText(radius::attr::kAcctSessionId, Shown(line.call_id)->id());
    return attributes;
  }

  const std::string kSecret = "testing123";
  uint16_t coa_port_ = 0;
  uint8_t identifier_ = 0;
};

TEST_F(ManyShardsCoaTest, CoaChangesTheCallOnItsShard) {
  ASSERT_TRUE(StartWithCoa().ok());
  std::vector<Line> lines = LogInEach();
  for (const Line& line : lines) {
    radius::AttributeList change = Naming(line);
    change.AddInteger(radius::attr::kIdleTimeout, 1000 + line.call_id);
    EXPECT_EQ(Ask(radius::Code::kCoaRequest, change), static_cast<int>(radius::Code::kCoaAck));
  }
  for (const Line& line : lines) {
    EXPECT_EQ(dataplane_->Calls()[HandleOf(line.call_id)].idle_timeout_s(), 1000u + line.call_id);
    EXPECT_TRUE(IsOpen(line.call_id));
  }
}

TEST_F(ManyShardsCoaTest, DisconnectEndsTheCallOnItsShard) {
  ASSERT_TRUE(StartWithCoa().ok());
  std::vector<Line> lines = LogInEach();
  for (size_t i = 0; i < lines.size(); ++i) {
    std::thread peer([&, handle = HandleOf(lines[i].call_id)] {  // answers Terminate-Request
      PppPeer answers{.dataplane = dataplane_.get(), .handle = handle, .user = "", .password = ""};
      answers.Run([&] { return answers.terminated; });
    });
    EXPECT_EQ(Ask(radius::Code::kDisconnectRequest, Naming(lines[i])),
              static_cast<int>(radius::Code::kDisconnectAck));
    peer.join();
    EXPECT_TRUE(lines[i].client->Expect<wp::CallDisconnectNotify>().has_value());
    EXPECT_EQ(List().size(), lines.size() - 1 - i) << "and no other";
  }
}

TEST_F(ManyShardsCoaTest, DisconnectOfAUserEndsItsCallsOnAllShards) {
  ASSERT_TRUE(StartWithCoa().ok());
  std::vector<Line> lines = LogInEach();
  radius::AttributeList alice;
  alice.AddText(radius::attr::kUserName, "alice");
  EXPECT_EQ(Ask(radius::Code::kDisconnectRequest, alice),
            static_cast<int>(radius::Code::kDisconnectAck));
  EXPECT_TRUE(Empty());
}

TEST_F(ManyShardsTest, DrainIsOfAllShards) {
  ASSERT_TRUE(StartShards(3).ok());
  std::vector<Line> lines = LogInEach();
  auto drain = management::v1::Drain::NewStub(grpc::CreateChannel(
      absl::StrCat("unix:", folder_, "/mgmt"), grpc::InsecureChannelCredentials()));
  const auto start = [&](int deadline_s) {
    grpc::ClientContext context;
    management::v1::StartDrainRequest request;
    if (deadline_s >= 0) {
      request.mutable_deadline()->set_seconds(deadline_s);
    }
    management::v1::DrainStatus status;
    return drain->Start(&context, request, &status).ok();
  };
  ASSERT_TRUE(start(-1));
  for (int i = 0; i < 12; ++i) {  // whichever shard it comes to
    ScriptedClient client(port_);
    client.Start();
    EXPECT_EQ(client.Dial(1), 0) << i;
  }
  EXPECT_EQ(List().size(), 3u);
  ASSERT_TRUE(start(1));
  for (Line& line : lines) {
    EXPECT_TRUE(line.client->Expect<wp::CallDisconnectNotify>().has_value());
  }
  EXPECT_TRUE(Empty());
}

TEST_F(ManyShardsTest, HooksRunForCallsOfAllShards) {
  for (const std::string name : {"up", "down"}) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path) << "#!/bin/sh\necho \"$CULVERT_CALL_ID\" >>" << path << ".seen\n";
    chmod(path.c_str(), 0700);
  }
  ASSERT_TRUE(StartShards(3, absl::StrCat("[hooks]\nip_up = \"", folder_, "/up\"\nip_down = \"",
                                          folder_, "/down\"\n"))
                  .ok());
  std::vector<Line> lines = LogInEach();
  std::multiset<std::string> ids;
  for (const management::v1::Call& call : List()) {
    ids.insert(call.id());
  }
  const auto told = [&](const char* name) {
    std::multiset<std::string> seen;
    std::ifstream file(folder_ + name);
    for (std::string id; std::getline(file, id);) {
      seen.insert(id);
    }
    return seen;
  };
  EXPECT_EQ(ids.size(), 3u);
  EXPECT_TRUE(Eventually([&] { return told("/up.seen") == ids; }));
  for (Line& line : lines) {
    line.client->Close();
  }
  EXPECT_TRUE(Eventually([&] { return told("/down.seen") == ids; }));
}

TEST_F(ManyShardsTest, OperatorFindsAndEndsOneCallOnAnyShard) {
  ASSERT_TRUE(StartShards(3).ok());
  std::vector<Line> lines = LogInEach();
  const auto find = [&](const management::v1::Filter& filter) {
    grpc::ClientContext context;
    management::v1::ListCallsRequest request;
    *request.mutable_filter() = filter;
    management::v1::ListCallsResponse response;
    EXPECT_TRUE(management_->List(&context, request, &response).ok());
    return response;
  };
  management::v1::Filter alice;
  alice.set_user("alice");
  EXPECT_EQ(find(alice).calls_size(), 3);
  for (size_t i = 0; i < lines.size(); ++i) {
    management::v1::Filter one;
    one.set_id(Shown(lines[i].call_id)->id());
    ASSERT_EQ(find(one).calls_size(), 1);
    EXPECT_EQ(find(one).calls(0).call_id(), lines[i].call_id);
    grpc::ClientContext context;
    management::v1::TerminateCallsRequest request;
    *request.mutable_filter() = one;
    management::v1::TerminateCallsResponse response;
    ASSERT_TRUE(management_->Terminate(&context, request, &response).ok());
    EXPECT_EQ(response.ids_size(), 1);
    EXPECT_TRUE(lines[i].client->Expect<wp::CallDisconnectNotify>().has_value());
    EXPECT_TRUE(Eventually([&] { return List().size() == lines.size() - 1 - i; }));
  }
}

TEST_F(ManyShardsTest, MetricsAreSumsOfAllShards) {
  const uint16_t metrics_port = FreePort();
  metrics_listen_ = absl::StrCat("127.0.0.1:", metrics_port);
  ASSERT_TRUE(StartShards(3).ok());
  const auto scrape = [&] {
    asio::io_context loop;
    asio::ip::tcp::socket socket(loop);
    socket.connect({asio::ip::address_v4::loopback(), metrics_port});
    asio::write(socket, asio::buffer(std::string(
                            "GET /metrics HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")));
    std::string text;
    asio::error_code end;
    asio::read(socket, asio::dynamic_buffer(text), end);
    return text;
  };
  // Dials for a shard that came to another one count too.
  const auto ended = [](const std::string& text) {
    constexpr std::string_view kName = "culvert_calls_ended_total{reason=\"control-connection\"} ";
    const size_t at = text.find(kName);
    return at == std::string::npos ? 0 : std::stoi(text.substr(at + kName.size()));
  };
  std::vector<Line> lines = LogInEach();
  ASSERT_TRUE(Eventually([&] { return List().size() == 3; }));
  const std::string before = scrape();
  EXPECT_THAT(before, HasSubstr("culvert_calls{state=\"open\"} 3\n"));
  EXPECT_THAT(before, HasSubstr("culvert_pool_addresses_used{pool=\"default\"} 3\n"));
  for (Line& line : lines) {
    line.client->SendOctets(std::vector<uint8_t>(16, 0xff));  // no message at all
    EXPECT_TRUE(line.client->Closed());
  }
  EXPECT_TRUE(Empty());
  EXPECT_TRUE(Eventually([&] { return ended(scrape()) == ended(before) + 3; }));
}

TEST_F(ManyShardsTest, SecondSessionOfAUserIsDeniedOnEveryShard) {
  ASSERT_TRUE(
      StartShards(2, "policy.sessions_per_user = 1\npolicy.excess_sessions = \"deny\"\n").ok());
  Line first = DialOn(0);
  LogInTo(first);
  ASSERT_TRUE(IsOpen(first.call_id));
  for (const size_t shard : {1, 0}) {
    const Line second = DialOn(shard);
    EXPECT_TRUE(LogInTo(second).pap_refused) << shard;
  }
  EXPECT_TRUE(IsOpen(first.call_id));
  first.client->Close();
  ASSERT_TRUE(Eventually([&] { return !Shown(first.call_id); }));
  const Line now = DialOn(1);
  LogInTo(now);
  EXPECT_TRUE(IsOpen(now.call_id));
}

TEST_F(ManyShardsTest, PoolIsOfAllShardsTogether) {
  ASSERT_TRUE(StartShards(2,
                          "policy.address_rest_s = 0\n[[pools]]\nname = \"small\"\n"
                          "ranges = [\"10.77.5.1-10.77.5.2\"]\n")
                  .ok());
  std::set<uint32_t> addresses;
  std::vector<Line> lines = LogInEach(&addresses);
  EXPECT_EQ(addresses, (std::set<uint32_t>{0x0a4d0501, 0x0a4d0502}));
  for (const size_t shard : {0, 1}) {
    Line third = DialOn(shard);
    PppPeer peer = LogInTo(third);
    EXPECT_FALSE(IsOpen(third.call_id));
    EXPECT_TRUE(third.client->Expect<wp::CallDisconnectNotify>().has_value()) << shard;
  }
  lines[0].client->Close();
  ASSERT_TRUE(Eventually([&] { return !Shown(lines[0].call_id); }));
  const Line other = DialOn(1);  // what one shard gave back, the other has
  EXPECT_TRUE(addresses.contains(LogInTo(other).client_address));
  EXPECT_TRUE(IsOpen(other.call_id));
}

}  // namespace
}  // namespace culvert
