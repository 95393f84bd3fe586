// What one client, or one source of clients, can take from the others: nothing. Real sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/time.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "controlplane/shard/control_plane_fixture.h"

namespace culvert {
namespace {

namespace wp = wire::pptp;
using ::culvert::testing::FakeDataplane;
using ::culvert::testing::ScriptedClient;

TEST(Sources, ConfigurationReachesThem) {
  const config::Loaded loaded = config::LoadText(
      "[pptp]\nmax_connections = 9\nidle_timeout_s = 7\ncall_timeout_s = 8\nincoming_calls = "
      "false\n[pptp.sources]\n"
      "allowed = [\"10.0.0.0/8\"]\nprefix_len = 24\nmax_connections = 1\nmax_half_open = 2\n"
      "calls_per_second = 3\ncall_burst = 4\n",
      "f", config::Process::kControlplane);
  EXPECT_TRUE(loaded.problems.empty());
  const pptp::SourceLimits::Settings limits = MakeSourceLimits(loaded.config);
  EXPECT_EQ(limits.prefix_len, 24u);
  EXPECT_EQ(limits.max_connections, 1u);
  EXPECT_EQ(limits.max_half_open, 2u);
  EXPECT_EQ(limits.max_total, 9u);
  EXPECT_EQ(limits.calls_per_s, 3u);
  EXPECT_EQ(limits.call_burst, 4u);
  const std::vector<config::Ipv4Prefix> allowed = MakeAllowedSources(loaded.config);
  ASSERT_EQ(allowed.size(), 1u);
  EXPECT_TRUE(allowed[0].Contains(0x0a010203));
  const auto control = MakeControlSettings(loaded.config);
  EXPECT_EQ(control->idle_timeout_ms, 7000u);
  EXPECT_EQ(control->call_timeout_ms, 8000u);
  EXPECT_FALSE(control->incoming_calls);
  for (const char* bad : {"prefix_len = 7", "call_burst = 0", "allowed = []",
                          "allowed = [\"10.0.0.1/8\"]", "max_half_open = -1"}) {
    const config::Loaded wrong = config::LoadText(absl::StrCat("[pptp.sources]\n", bad, "\n"), "f",
                                                  config::Process::kControlplane);
    EXPECT_EQ(wrong.problems.size(), 1u) << bad;
  }
}

TEST_F(ControlPlaneTest, SourceWithTooManyConnectionsIsTurnedAway) {
  ASSERT_TRUE(Start("pptp.sources.max_connections = 2\n").ok());
  ScriptedClient one(port_), two(port_);
  one.Start();
  two.Start();
  ScriptedClient three(port_);
  EXPECT_TRUE(three.Closed());
  one.Close();
  EXPECT_TRUE(Eventually([&] {
    ScriptedClient four(port_);
    four.Send(wp::StartRequest{});
    return four.Expect<wp::StartReply>().has_value();
  })) << "there is room again";
}

TEST_F(ControlPlaneTest, SilentClientsOfASourceAreBounded) {
  ASSERT_TRUE(Start("pptp.sources.max_half_open = 2\n").ok());
  ScriptedClient started(port_);
  started.Start();
  ScriptedClient silent(port_), another(port_);
  ScriptedClient refused(port_);
  EXPECT_TRUE(refused.Closed());
  EXPECT_NE(Dial(started, 1), 0) << "others are served";
  silent.Start();
  ScriptedClient welcome(port_);
  welcome.Start();
}

TEST_F(ControlPlaneTest, SourceThatDialsTooQuicklyIsBusy) {
  ASSERT_TRUE(Start("pptp.max_calls_per_connection = 400\npptp.sources.calls_per_second = 1\n"
                    "pptp.sources.call_burst = 200\n")
                  .ok());
  ScriptedClient client(port_);
  client.Start();
  ASSERT_NE(Dial(client, 1000), 0) << "the data plane is connected";
  std::vector<int> results;
  for (uint16_t i = 0; i < 300; ++i) {
    client.Send(wp::OutgoingCallRequest{.call_id = i, .receive_window = 64});
    std::optional<wp::OutgoingCallReply> reply = client.Expect<wp::OutgoingCallReply>();
    ASSERT_TRUE(reply.has_value());
    results.push_back(reply->result);
  }
  EXPECT_EQ(results.back(), 4) << "busy";
  EXPECT_GE(std::count(results.begin(), results.end(), 4), 90);
}

TEST_F(ControlPlaneTest, ForeignSourceIsNotAuthorised) {
  ASSERT_TRUE(Start("pptp.sources.allowed = [\"192.0.2.0/24\", \"10.0.0.0/8\"]\n").ok());
  ScriptedClient client(port_);
  client.Send(wp::StartRequest{});
  std::optional<wp::StartReply> reply = client.Expect<wp::StartReply>();
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->result, 4);
  EXPECT_TRUE(client.Closed());
}

// A client that asks much and reads nothing is closed when its replies fill their bounds; until
// then and after it nobody else waits.
TEST_F(ControlPlaneTest, SilentReaderHoldsNothingButItsOwnConnection) {
  ASSERT_TRUE(Start().ok());
  ScriptedClient good(port_);
  good.Start();
  ASSERT_NE(Dial(good, 1), 0);
  ScriptedClient bad(port_);
  bad.Start();
  std::vector<uint8_t> echoes;
  for (int i = 0; i < 1000; ++i) {
    const std::vector<uint8_t> echo = wp::Emit(wp::EchoRequest{.identifier = 1});
    echoes.insert(echoes.end(), echo.begin(), echo.end());
  }
  EXPECT_TRUE(Eventually([&] {
    good.Send(wp::EchoRequest{.identifier = 7});
    EXPECT_TRUE(good.Expect<wp::EchoReply>().has_value());
    for (int i = 0; i < 10; ++i) {
      if (!bad.TrySendOctets(echoes)) {
        return true;
      }
    }
    return false;
  })) << "it was not closed";
  good.Send(wp::EchoRequest{.identifier = 8});
  EXPECT_TRUE(good.Expect<wp::EchoReply>().has_value());
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

TEST_F(ControlPlaneTest, EmfileInAcceptIsSurvivedWithoutASpin) {
  ASSERT_TRUE(Start().ok());
  ScriptedClient before(port_);
  before.Start();
  ASSERT_NE(Dial(before, 1), 0);
  ScriptedClient waiting(port_, ScriptedClient::kConnectLater);
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit none{.rlim_cur = 3, .rlim_max = limit.rlim_max};  // no new descriptor
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  waiting.Connect();
  const double cpu_before = CpuSeconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  const double cpu_s = CpuSeconds() - cpu_before;
  before.Send(wp::EchoRequest{.identifier = 3});
  EXPECT_TRUE(before.Expect<wp::EchoReply>().has_value()) << "those that are there are served";
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_LT(cpu_s, 0.2) << "a spin would have taken half a second";
  waiting.Start();
}

}  // namespace
}  // namespace culvert
