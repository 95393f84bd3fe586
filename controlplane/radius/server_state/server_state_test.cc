#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include "controlplane/radius/client/scripted_servers.h"
#include "controlplane/radius/server_state/server_metrics.h"
#include "controlplane/radius/server_state/server_service.h"
#include "controlplane/radius/server_state/server_view.h"

namespace culvert::radius {
namespace {

using management::v1::RadiusServer;
using testing::HasSubstr;

constexpr uint64_t kMs = 1000, kSecond = 1'000'000;

std::shared_ptr<ServerStats> Stats(Service service, const std::string& address = "192.0.2.1") {
  auto stats = std::make_shared<ServerStats>();
  stats->name = "first";
  stats->address = address;
  stats->port = 1812;
  stats->service = service;
  return stats;
}

TEST(ServerView, TimesAreOfTheLastAnswers) {
  const auto stats = Stats(Service::kAuthentication);
  EXPECT_FALSE(RecentTimes(*stats));
  stats->CountLatency(7 * kMs);
  EXPECT_EQ(RecentTimes(*stats)->p50_us, 7 * kMs);
  EXPECT_EQ(RecentTimes(*stats)->p99_us, 7 * kMs);
  for (uint64_t i = 1; i <= 100; ++i) stats->CountLatency(i * kMs);
  EXPECT_EQ(RecentTimes(*stats)->p50_us, 50 * kMs);
  EXPECT_EQ(RecentTimes(*stats)->p99_us, 99 * kMs);
  for (size_t i = 0; i < ServerStats::kRecent; ++i) stats->CountLatency(3 * kMs);
  EXPECT_EQ(RecentTimes(*stats)->p99_us, 3 * kMs) << "what was before is forgotten";
}

TEST(ServerView, ShowsWhatIsCounted) {
  const auto stats = Stats(Service::kAuthentication, "2001:db8::1");
  stats->priority = 2;
  stats->weight = 5;
  stats->SetUp(false, 10 * kSecond);
  stats->requests = 9;
  stats->CountReply(Code::kAccessAccept);
  stats->CountReply(Code::kAccessReject);
  stats->CountReply(Code::kAccessReject);
  stats->CountReply(Code::kAccessChallenge);
  stats->CountDrop(DropReason::kUnexpected);
  stats->CountDrop(DropReason::kBadAuthenticator);
  const RadiusServer shown = ToProto(*stats, 13 * kSecond + 500 * kMs);
  EXPECT_EQ(shown.endpoint(), "[2001:db8::1]:1812");
  EXPECT_EQ(shown.service(), "authentication");
  EXPECT_EQ(shown.state(), RadiusServer::DEAD);
  EXPECT_EQ(shown.in_state().seconds(), 3);
  EXPECT_EQ(shown.in_state().nanos(), 500'000'000);
  EXPECT_EQ(shown.priority(), 2u);
  EXPECT_EQ(shown.weight(), 5u);
  EXPECT_EQ(shown.requests(), 9u);
  EXPECT_EQ(shown.accepts(), 1u);
  EXPECT_EQ(shown.rejects(), 2u);
  EXPECT_EQ(shown.challenges(), 1u);
  EXPECT_EQ(shown.bad_replies(), 1u) << "a late answer is not a bad one";
  EXPECT_FALSE(shown.has_time_p50());
}

TEST(ServerService, ListsServersInOrder) {
  const auto access = Stats(Service::kAuthentication), accounting = Stats(Service::kAccounting);
  accounting->CountReply(Code::kAccountingResponse);
  ServerService service({access, accounting});
  management::v1::ListRadiusServersResponse response;
  ASSERT_TRUE(service.ListServers(nullptr, nullptr, &response).ok());
  ASSERT_EQ(response.servers_size(), 2);
  EXPECT_EQ(response.servers(0).endpoint(), "192.0.2.1:1812");
  EXPECT_EQ(response.servers(1).service(), "accounting");
  EXPECT_EQ(response.servers(1).accepts(), 1u);
}

TEST(ServerMetrics, CountsByServerAndService) {
  const auto stats = Stats(Service::kAuthentication);
  stats->requests = 4;
  stats->CountReply(Code::kAccessReject);
  stats->CountDrop(DropReason::kMalformed);
  stats->CountLatency(1500);
  stats->CountLatency(9 * kSecond);
  stats->SetUp(false, 0);
  const std::string text = prometheus::TextSerializer().Serialize(ServerMetrics({stats}).Collect());
  const std::string labels = "{server=\"first\",service=\"authentication\"";
  for (const std::string& line : {
           "radius_requests_total" + labels + "} 4\n",
           "radius_server_up" + labels + "} 0\n",
           "radius_replies_total" + labels + ",packet=\"Access-Reject\"} 1\n",
           "radius_replies_total" + labels + ",packet=\"Access-Accept\"} 0\n",
           "radius_dropped_replies_total" + labels + ",reason=\"malformed\"} 1\n",
           "radius_response_seconds_bucket" + labels + ",le=\"0.001\"} 0\n",
           "radius_response_seconds_bucket" + labels + ",le=\"0.002\"} 1\n",
           "radius_response_seconds_bucket" + labels + ",le=\"5\"} 1\n",
           "radius_response_seconds_bucket" + labels + ",le=\"+Inf\"} 2\n",
           "radius_response_seconds_count" + labels + "} 2\n",
       }) {
    EXPECT_THAT(text, HasSubstr("culvert_" + line));
  }
}

// The client's own counting: a probe is no request of a call, and its answer no Accept.
TEST(ServerView, FollowsADispatcherThroughDeathAndRecovery) {
  const auto stats = Stats(Service::kAuthentication);
  ScriptedServers outside;
  ServerSettings server;
  server.secret = SecretOf("0");
  server.dead_time_ms = 10'000;
  Dispatcher dispatcher(Service::kAuthentication, {server}, RetransmissionTimes(), {stats},
                        &outside);
  const auto pass = [&](uint64_t us) {
    const uint64_t end = outside.now_us + us;
    for (auto due = dispatcher.NextDeadline(); due && *due <= end;
         due = dispatcher.NextDeadline()) {
      outside.now_us = std::max(outside.now_us, *due);
      dispatcher.OnTime(outside.now_us);
    }
    outside.now_us = end;
  };
  dispatcher.Send(
      {}, [](const Answer&) {}, outside.now_us);
  EXPECT_EQ(ToProto(*stats, outside.now_us).state(), RadiusServer::ALIVE);
  EXPECT_EQ(ToProto(*stats, outside.now_us).outstanding(), 1u);
  pass(20 * kSecond);
  RadiusServer shown = ToProto(*stats, outside.now_us);
  EXPECT_EQ(shown.state(), RadiusServer::DEAD);
  EXPECT_EQ(shown.requests(), 1u);
  EXPECT_EQ(shown.timeouts(), 1u);
  const uint64_t dead_us = stats->up_changed_us;
  EXPECT_GT(dead_us, 5 * kSecond) << "after two transmissions, 2 and 4 s";
  EXPECT_EQ(stats->probes, 1u);
  outside.now_us = *dispatcher.NextDeadline();  // of the second one, 20 s after the death
  dispatcher.OnTime(outside.now_us);
  EXPECT_EQ(stats->probes, 2u);
  dispatcher.OnDatagram(0, outside.sent.back().channel,
                        ScriptedServers::ReplyTo(outside.sent.back(), Code::kAccessAccept, "0"),
                        outside.now_us);
  shown = ToProto(*stats, outside.now_us);
  EXPECT_EQ(shown.state(), RadiusServer::ALIVE);
  EXPECT_EQ(shown.in_state().seconds(), 0);
  EXPECT_EQ(shown.requests(), 1u);
  EXPECT_EQ(shown.accepts(), 0u);
  EXPECT_FALSE(shown.has_time_p50());
  EXPECT_EQ(stats->probe_replies, 1u);
}

}  // namespace
}  // namespace culvert::radius
