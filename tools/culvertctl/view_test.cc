#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "tools/culvertctl/call_view.h"
#include "tools/culvertctl/format.h"

namespace culvert::ctl {
namespace {

using management::v1::Call;
using management::v1::CallEvent;
using testing::ElementsAre;
using testing::HasSubstr;

Call MakeCall(const std::string& id, const std::string& user, int64_t started) {
  Call call;
  call.set_id(id);
  call.set_user(user);
  call.set_state("open");
  call.set_peer_address("192.0.2.7");
  call.set_client_address("10.77.0.10");
  call.set_auth("mschap-v2");
  call.set_mppe("128");
  call.mutable_started()->set_seconds(started);
  call.mutable_uptime()->set_seconds(65);
  call.set_upstream_octets(1500);
  call.set_downstream_octets(20'000'000);
  call.set_upstream_bps(999);
  call.set_downstream_bps(12'340'000);
  call.set_drops(2);
  return call;
}

CallEvent MakeEvent(CallEvent::Kind kind, const Call& call) {
  CallEvent event;
  event.set_kind(kind);
  *event.mutable_call() = call;
  event.mutable_time()->set_seconds(1'000'000'000);
  return event;
}

class ViewTest : public testing::Test {
 protected:
  void SetUp() override {
    setenv("TZ", "UTC", 1);
    tzset();
  }
};

TEST_F(ViewTest, UnitsForPeople) {
  EXPECT_EQ(FormatOctets(0), "0 B");
  EXPECT_EQ(FormatOctets(999), "999 B");
  EXPECT_EQ(FormatOctets(1000), "1.0 kB");
  EXPECT_EQ(FormatOctets(999'949), "999.9 kB");
  EXPECT_EQ(FormatOctets(999'999), "1.0 MB");
  EXPECT_EQ(FormatOctets(18'446'744'073'709'551'615u), "18.4 EB");
  EXPECT_EQ(FormatRate(12'340'000), "12.3 Mbit/s");
  google::protobuf::Duration duration;
  const auto after = [&](int64_t seconds) {
    duration.set_seconds(seconds);
    return FormatDuration(duration);
  };
  EXPECT_EQ(after(7), "7s");
  EXPECT_EQ(after(245), "4m05s");
  EXPECT_EQ(after(7'380), "2h03m");
  EXPECT_EQ(after(93'600), "1d02h");
  EXPECT_EQ(after(-5), "0s");
}

TEST_F(ViewTest, TheTableIsAlignedAndOldestFirst) {
  Call fresh = MakeCall("00000000000000ff", "", 50);
  fresh.clear_client_address();
  fresh.clear_auth();
  fresh.set_state("establish");
  fresh.set_mppe("none");
  const auto lines = CallTable({fresh, MakeCall("00000000000000aa", "ann\xc3\xa9", 40)});
  EXPECT_THAT(lines,
              ElementsAre("ID                USER  PEER       CLIENT      STATE      AUTH       "
                          "MPPE  UPTIME  UPSTREAM  DOWNSTREAM    UP RATE    DOWN RATE  DROPS",
                          "00000000000000aa  ann\xc3\xa9  192.0.2.7  10.77.0.10  open       "
                          "mschap-v2  128    1m05s    1.5 kB     20.0 MB  999 bit/s  "
                          "12.3 Mbit/s      2",
                          "00000000000000ff  -     192.0.2.7  -           establish  -          "
                          "none   1m05s    1.5 kB     20.0 MB  999 bit/s  12.3 Mbit/s      2"));
}

TEST_F(ViewTest, DetailsNameEachField) {
  const auto lines = CallDetails(MakeCall("00000000000000aa", "alice", 1'000'000'000));
  EXPECT_THAT(lines, testing::Contains("user            alice"));
  EXPECT_THAT(lines, testing::Contains("local address   -"));
  EXPECT_THAT(lines, testing::Contains("started         2001-09-09 01:46:40 (1m05s ago)"));
  EXPECT_THAT(lines, testing::Contains("downstream      0 packets, 20.0 MB, 12.3 Mbit/s"));
  EXPECT_THAT(lines, testing::Not(testing::Contains(testing::HasSubstr("IPv6"))));
  Call call = MakeCall("00000000000000aa", "alice", 1'000'000'000);
  call.set_ipv6_link_local("fe80::5");
  call.set_ipv6_prefix("2001:db8:1:7::/64");
  const auto more = CallDetails(call);
  EXPECT_THAT(more, testing::Contains("IPv6 link       fe80::5"));
  EXPECT_THAT(more, testing::Contains("IPv6 prefix     2001:db8:1:7::/64"));
  EXPECT_THAT(more, testing::Contains("IPv6 delegated  -"));
}

TEST_F(ViewTest, AnEventIsOneLine) {
  Call call = MakeCall("00000000000000aa", "alice", 40);
  EXPECT_EQ(EventLine(MakeEvent(CallEvent::UP, call)),
            "2001-09-09 01:46:40 UP            id=00000000000000aa user=alice peer=192.0.2.7 "
            "client=10.77.0.10 auth=mschap-v2 mppe=128");
  call.set_end_reason("peer hung up");
  EXPECT_THAT(EventLine(MakeEvent(CallEvent::DOWN, call)),
              HasSubstr("upstream=1500 downstream=20000000 reason=\"peer hung up\""));
  CallEvent end;
  end.set_kind(CallEvent::SNAPSHOT_END);
  end.mutable_time()->set_seconds(1'000'000'000);
  EXPECT_EQ(EventLine(end), "2001-09-09 01:46:40 SNAPSHOT_END");
}

TEST_F(ViewTest, JsonKeepsNamesAndZeros) {
  const std::string json = ToJson(MakeEvent(CallEvent::UP, MakeCall("aa", "alice", 40)), false);
  EXPECT_EQ(json.find('\n'), std::string::npos);
  EXPECT_THAT(json, HasSubstr("\"kind\":\"UP\""));
  EXPECT_THAT(json, HasSubstr("\"peer_address\":\"192.0.2.7\""));
  EXPECT_THAT(json, HasSubstr("\"downstream_octets\":\"20000000\""));
  EXPECT_THAT(json, HasSubstr("\"upstream_packets\":\"0\""));
}

TEST_F(ViewTest, LiveCallsFollowTheEvents) {
  LiveCalls live;
  live.OnEvent(MakeEvent(CallEvent::SNAPSHOT, MakeCall("aa", "alice", 40)));
  EXPECT_FALSE(live.complete());
  CallEvent end;
  end.set_kind(CallEvent::SNAPSHOT_END);
  live.OnEvent(end);
  EXPECT_TRUE(live.complete());
  live.OnEvent(MakeEvent(CallEvent::STARTED, MakeCall("bb", "bob", 41)));
  auto screen = live.Screen(0, 0);
  ASSERT_EQ(screen.size(), 5u);
  EXPECT_EQ(screen[0], "2 calls, 2 open; 2.0 kbit/s upstream, 24.7 Mbit/s downstream");
  EXPECT_THAT(screen[4], HasSubstr("bob"));
  live.OnEvent(MakeEvent(CallEvent::DOWN, MakeCall("aa", "alice", 40)));
  screen = live.Screen(0, 0);
  ASSERT_EQ(screen.size(), 4u);
  EXPECT_THAT(screen[3], HasSubstr("bob"));
}

TEST_F(ViewTest, TheScreenFitsTheTerminal) {
  LiveCalls live;
  for (int i = 10; i < 40; ++i) {
    live.OnEvent(MakeEvent(CallEvent::SNAPSHOT, MakeCall(std::to_string(i), "u", i)));
  }
  const auto screen = live.Screen(10, 20);
  ASSERT_EQ(screen.size(), 10u);
  EXPECT_EQ(screen[9], "... and 24 more");
  for (const std::string& line : screen) EXPECT_LE(line.size(), 20u);
}

}  // namespace
}  // namespace culvert::ctl
