// The service on real sockets of the loopback.
#include "controlplane/radius/dynamic/dynamic_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/metric_family.h>

#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/udp.hpp>
#include <thread>

#include "controlplane/radius/signing.h"

namespace culvert::radius {
namespace {

using asio::ip::udp;
using management::v1::CallEvent;
using ::testing::HasSubstr;
using Bytes = std::vector<uint8_t>;

constexpr char kSecretText[] = "testing123";
const Bytes kSecret(kSecretText, kSecretText + sizeof kSecretText - 1);

class DynamicServiceTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    udp::socket probe(loop_, udp::endpoint(asio::ip::make_address(GetParam()), 0));
    port_ = probe.local_endpoint().port();
    probe.close();
    peer_.open(udp::endpoint(asio::ip::make_address(GetParam()), 0).protocol());
    peer_.connect({asio::ip::make_address(GetParam()), port_});
    CallRecord record;
    record.id = 7;
    record.handle = 1007;
    record.user = "alice";
    directory_.Publish(CallEvent::UP, record);
  }

  absl::Status Start(const char* from) {
    DynamicServiceSettings settings{.listen = {GetParam()}, .port = port_, .protocol = {}};
    settings.protocol.clients.push_back(
        {.from = *config::ParsePrefix6(from), .secret = Secret(kSecret)});
    auto service = DynamicService::Start(
        std::move(settings), &directory_,
        [this](uint64_t, const CallChange&, CallChanged done) {
          // As by a shard: on another thread.
          threads_.emplace_back([done = std::move(done)] { done(CallRates{}); });
        },
        [this](const std::vector<uint64_t>& ids, const std::string&) {
          for (uint64_t id : ids) {
            CallRecord record;
            record.id = id;
            directory_.Publish(CallEvent::DOWN, record);
          }
        });
    if (service.ok()) {
      service_ = std::move(*service);
    }
    return service.status();
  }
  void TearDown() override {
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }

  // Ask is the code of the answer; 0: none came within `ms`.
  uint8_t Ask(Code code, const std::string& user, int ms = 60'000) {
    AttributeList attributes;
    attributes.AddText(attr::kUserName, user);
    const Bytes request =
        *BuildRequest({.code = code, .identifier = ++identifier_}, attributes, kSecret);
    peer_.send(asio::buffer(request));
    timeval wait{.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    setsockopt(peer_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    std::array<uint8_t, kMaxPacketLen> reply{};
    const ssize_t len = recv(peer_.native_handle(), reply.data(), reply.size(), 0);
    const auto packet = Parse(Octets(reply).first(static_cast<size_t>(std::max<ssize_t>(len, 0))));
    const bool ours = packet && packet->identifier == identifier_ &&
                      IsSignedReply(*packet, Parse(request)->authenticator, kSecret);
    return ours ? static_cast<uint8_t>(packet->code) : 0;
  }

  // Count is a counter with this value of its label.
  double Count(const std::string& name, const std::string& value) const {
    for (const prometheus::MetricFamily& family : service_->metrics()->Collect()) {
      for (const prometheus::ClientMetric& metric : family.metric) {
        if (family.name == name && metric.label.front().value == value) {
          return metric.counter.value;
        }
      }
    }
    return 0;
  }

  CallDirectory directory_;
  asio::io_context loop_;
  udp::socket peer_{loop_};
  uint16_t port_ = 0;
  uint8_t identifier_ = 0;
  std::vector<std::thread> threads_;
  std::unique_ptr<DynamicService> service_;
};

TEST_P(DynamicServiceTest, AnswersFromItsSocket) {
  ASSERT_TRUE(Start("::/0").ok());
  EXPECT_EQ(Ask(Code::kCoaRequest, "alice"), 44);
  EXPECT_EQ(Ask(Code::kCoaRequest, "nobody"), 45);
  EXPECT_EQ(Ask(Code::kDisconnectRequest, "alice"), 41);
  EXPECT_EQ(directory_.size(), 0u);
  EXPECT_EQ(Ask(Code::kDisconnectRequest, "alice"), 42);
  EXPECT_EQ(Count("culvert_radius_dynamic_replies_total", "CoA-ACK"), 1);
  EXPECT_EQ(Count("culvert_radius_dynamic_refused_total", "session-not-found"), 2);
}

TEST_P(DynamicServiceTest, AStrangerHearsNothing) {
  ASSERT_TRUE(Start("2001:db8::/32").ok());
  EXPECT_EQ(Ask(Code::kDisconnectRequest, "alice", 100), 0);
  for (int i = 0; i < 12'000 && Count("culvert_radius_dynamic_dropped_total", "stranger") == 0;
       ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(Count("culvert_radius_dynamic_dropped_total", "stranger"), 1);
  EXPECT_EQ(directory_.size(), 1u);
}

TEST_P(DynamicServiceTest, APortInUseIsNamed) {
  ASSERT_TRUE(Start("::/0").ok());
  const auto first = std::move(service_);
  const absl::Status status = Start("::/0");
  EXPECT_THAT(std::string(status.message()), HasSubstr("radius.dynamic.listen: "));
}

INSTANTIATE_TEST_SUITE_P(Families, DynamicServiceTest, ::testing::Values("127.0.0.1", "::1"));

}  // namespace
}  // namespace culvert::radius
