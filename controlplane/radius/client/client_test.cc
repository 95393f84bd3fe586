#include "controlplane/radius/client/client.h"

#include <gtest/gtest.h>

#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/udp.hpp>
#include <future>

#include "controlplane/radius/client/scripted_servers.h"

namespace culvert::radius {
namespace {

using asio::ip::udp;

// A socket on loopback that plays the server.
class Peer {
 public:
  explicit Peer(const std::string& address)
      : socket_(loop_, {asio::ip::make_address(address), 0}) {}

  uint16_t port() const { return socket_.local_endpoint().port(); }
  std::vector<uint8_t> Receive() {
    std::array<uint8_t, kMaxPacketLen> buffer;
    const size_t len = socket_.receive_from(asio::buffer(buffer), from_);
    return {buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(len)};
  }
  void Send(const std::vector<uint8_t>& packet) { SendTo(packet, from_); }
  void SendTo(const std::vector<uint8_t>& packet, const udp::endpoint& to) {
    socket_.send_to(asio::buffer(packet), to);
  }
  const udp::endpoint& from() const { return from_; }

 private:
  asio::io_context loop_;
  udp::socket socket_;
  udp::endpoint from_;
};

// Requests that are answered are not sent again, however slow the machine is; `patient` is false
// where a timeout is what is waited for.
ClientSettings SettingsFor(const std::string& address, uint16_t port, bool patient = true) {
  ServerSettings server;
  server.name = "one";
  server.address = address;
  server.port = port;
  server.secret = SecretOf("0");
  server.dead_time_ms = 1000;
  ClientSettings settings;
  settings.authentication.push_back(server);
  settings.accounting.push_back(server);
  if (patient) {
    settings.times = {
        .initial_ms = 60'000, .longest_ms = 60'000, .tries = 2, .deadline_ms = 120'000};
  } else {
    settings.times = {.initial_ms = 50, .longest_ms = 200, .tries = 2, .deadline_ms = 400};
  }
  return settings;
}

std::future<Answer> Ask(Client& client, Service service, Code code) {
  auto promise = std::make_shared<std::promise<Answer>>();
  client.Send(service, {.code = code},
              [promise](Answer answer) { promise->set_value(std::move(answer)); });
  return promise->get_future();
}

TEST(RadiusClient, AsksAndIsAnsweredOverIpv4AndIpv6) {
  for (const char* address : {"127.0.0.1", "::1"}) {
    Peer peer(address);
    auto client = *Client::Start(SettingsFor(address, peer.port()));
    for (Service service : {Service::kAuthentication, Service::kAccounting}) {
      const bool is_access = service == Service::kAuthentication;
      auto answer =
          Ask(*client, service, is_access ? Code::kAccessRequest : Code::kAccountingRequest);
      const std::vector<uint8_t> request = peer.Receive();
      peer.Send(ScriptedServers::ReplyTo(
          {0, 0, request, 0}, is_access ? Code::kAccessAccept : Code::kAccountingResponse, "0"));
      EXPECT_EQ(answer.get().outcome, Outcome::kAnswered) << address;
    }
    ASSERT_EQ(client->stats().size(), 2u);
    EXPECT_EQ(client->stats()[1]->replies[5], 1u);
  }
}

TEST(RadiusClient, AnAnswerFromAnotherAddressOrPortIsNotSeen) {
  Peer peer("127.0.0.1"), stranger("127.0.0.1"), elsewhere("127.0.0.2");
  auto client = *Client::Start(SettingsFor("127.0.0.1", peer.port(), false));
  auto answer = Ask(*client, Service::kAuthentication, Code::kAccessRequest);
  const std::vector<uint8_t> request = peer.Receive();
  const auto reply = ScriptedServers::ReplyTo({0, 0, request, 0}, Code::kAccessAccept, "0");
  stranger.SendTo(reply, peer.from());
  elsewhere.SendTo(reply, peer.from());
  EXPECT_EQ(answer.get().outcome, Outcome::kTimeout);
}

TEST(RadiusClient, ASourceAddressIsUsed) {
  Peer peer("127.0.0.1");
  ClientSettings settings = SettingsFor("127.0.0.1", peer.port());
  settings.source_ipv4 = "127.0.0.9";
  auto client = *Client::Start(std::move(settings));
  auto answer = Ask(*client, Service::kAuthentication, Code::kAccessRequest);
  peer.Receive();
  EXPECT_EQ(peer.from().address().to_string(), "127.0.0.9");
  client->Stop();
  EXPECT_EQ(answer.get().outcome, Outcome::kStopped);
}

TEST(RadiusClient, NobodyThereIsATimeout) {
  auto client = *Client::Start(SettingsFor("127.0.0.1", 9, false));
  EXPECT_EQ(Ask(*client, Service::kAuthentication, Code::kAccessRequest).get().outcome,
            Outcome::kTimeout);
  EXPECT_FALSE(client->stats()[0]->up);
}

TEST(RadiusClient, AddressesAreChecked) {
  EXPECT_EQ(Client::Start(SettingsFor("radius.example", 1812)).status().code(),
            absl::StatusCode::kInvalidArgument);
  ClientSettings settings = SettingsFor("127.0.0.1", 1812);
  settings.source_ipv6 = "fe80::x";
  EXPECT_FALSE(Client::Start(std::move(settings)).ok());
}

}  // namespace
}  // namespace culvert::radius
