#include "controlplane/management/call_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace culvert {
namespace {

using management::v1::CallEvent;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

CallRecord Record(uint64_t id, const std::string& user = "alice") {
  CallRecord record;
  record.id = id;
  record.handle = id + 1000;
  record.user = user;
  record.peer_address = 0xc0000200 + static_cast<uint32_t>(id);
  record.local_address = 0xc6336401;
  record.call_id = static_cast<uint16_t>(id);
  record.started_ms = 1'000;
  return record;
}

std::vector<std::string> Users(const std::vector<management::v1::Call>& calls) {
  std::vector<std::string> users;
  for (const auto& call : calls) users.push_back(call.user());
  return users;
}

std::vector<CallEvent::Kind> Kinds(const std::vector<CallEvent>& events) {
  std::vector<CallEvent::Kind> kinds;
  for (const auto& event : events) kinds.push_back(event.kind());
  return kinds;
}

dataplane::v1::CountersResponse Round(uint64_t handle, uint64_t up_octets, uint64_t down_octets) {
  dataplane::v1::CountersResponse round;
  auto* call = round.add_calls();
  call->set_handle(handle);
  call->set_upstream_packets(up_octets / 100);
  call->set_upstream_octets(up_octets);
  call->set_downstream_octets(down_octets);
  call->set_upstream_drops(2);
  call->set_downstream_drops(3);
  return round;
}

class CallDirectoryTest : public testing::Test {
 protected:
  int64_t now_ms_ = 5'500;
  CallDirectory directory_{[this] { return now_ms_; }};
};

TEST_F(CallDirectoryTest, ShowsACallAsItWasPublished) {
  CallRecord record = Record(0xab, "bob");
  record.phase = ppp::Phase::kOpen;
  record.client_address = 0x0a4d000a;
  record.auth = AuthMethod::kMsChapV2;
  record.mppe_bits = 128;
  directory_.Publish(CallEvent::UP, record);
  const auto call = directory_.Get(0xab);
  ASSERT_TRUE(call);
  EXPECT_EQ(call->id(), "00000000000000ab");
  EXPECT_EQ(call->state(), "open");
  EXPECT_EQ(call->user(), "bob");
  EXPECT_EQ(call->peer_address(), "192.0.2.171");
  EXPECT_EQ(call->local_address(), "198.51.100.1");
  EXPECT_EQ(call->client_address(), "10.77.0.10");
  EXPECT_EQ(call->auth(), "mschap-v2");
  EXPECT_EQ(call->mppe(), "128");
  EXPECT_EQ(call->started().seconds(), 1);
  EXPECT_EQ(call->uptime().seconds(), 4);
  EXPECT_EQ(call->uptime().nanos(), 500'000'000);
  EXPECT_EQ(call->ipv6_link_local(), "");
  record.ipv6_interface_id = 0xa1d8a5e306a755b0;
  record.ipv6_prefix = config::ParsePrefix6("2001:db8:1:7::/64");
  record.ipv6_delegated_prefix = config::ParsePrefix6("2001:db8:ff00::/56");
  directory_.Update(record);
  EXPECT_EQ(directory_.Get(0xab)->ipv6_link_local(), "fe80::a1d8:a5e3:6a7:55b0");
  EXPECT_EQ(directory_.Get(0xab)->ipv6_prefix(), "2001:db8:1:7::/64");
  EXPECT_EQ(directory_.Get(0xab)->ipv6_delegated_prefix(), "2001:db8:ff00::/56");
}

TEST_F(CallDirectoryTest, WhatIsNotKnownIsEmpty) {
  directory_.Publish(CallEvent::STARTED, Record(1, ""));
  const auto call = directory_.Get(1);
  ASSERT_TRUE(call);
  EXPECT_EQ(call->state(), "establish");
  EXPECT_EQ(call->client_address(), "");
  EXPECT_EQ(call->auth(), "");
  EXPECT_EQ(call->mppe(), "none");
}

TEST_F(CallDirectoryTest, ANameWithTerminalEscapesIsMadeHarmless) {
  directory_.Publish(CallEvent::STARTED, Record(1, "a\x1b[2Jb\xff"));
  const std::string user = directory_.Get(1)->user();
  EXPECT_EQ(user.find('\x1b'), std::string::npos);
  EXPECT_EQ(user.find('\xff'), std::string::npos);
  CallFilter filter;
  filter.user = user;  // what is shown can be asked for
  EXPECT_THAT(directory_.MatchingIds(filter), ElementsAre(1));
}

// What is shown of a long name is cut. The whole name must find its call, and no other one.
TEST_F(CallDirectoryTest, ALongNameCanBeAskedForAsItIs) {
  const std::string name = "subscriber-" + std::string(60, '0') + "@realm.example";
  directory_.Publish(CallEvent::STARTED, Record(1, name + "1"));
  directory_.Publish(CallEvent::STARTED, Record(2, name + "2"));
  CallFilter filter;
  filter.user = name + "2";
  EXPECT_THAT(directory_.MatchingIds(filter), ElementsAre(2));
  filter.user = name + "3";
  EXPECT_THAT(directory_.MatchingIds(filter), IsEmpty());
  filter.user = directory_.Get(1)->user();
  EXPECT_THAT(directory_.MatchingIds(filter), ElementsAre(1, 2)) << "what is shown of both";
}

TEST_F(CallDirectoryTest, DownRemoves) {
  directory_.Publish(CallEvent::STARTED, Record(1));
  directory_.Publish(CallEvent::DOWN, Record(1));
  EXPECT_FALSE(directory_.Get(1));
  EXPECT_EQ(directory_.size(), 0u);
  directory_.Publish(CallEvent::DOWN, Record(2));  // never there
  EXPECT_EQ(directory_.size(), 0u);
}

TEST_F(CallDirectoryTest, UpdateChangesButNeverInserts) {
  directory_.Update(Record(1));
  EXPECT_EQ(directory_.size(), 0u);
  directory_.Publish(CallEvent::STARTED, Record(1));
  CallRecord record = Record(1);
  record.phase = ppp::Phase::kTerminate;
  directory_.Update(record);
  EXPECT_EQ(directory_.Get(1)->state(), "terminate");
  EXPECT_EQ(directory_.CountByPhase()[static_cast<size_t>(ppp::Phase::kTerminate)], 1u);
}

TEST_F(CallDirectoryTest, ListsByFilterInOrderOfIds) {
  directory_.Publish(CallEvent::STARTED, Record(3, "carol"));
  directory_.Publish(CallEvent::STARTED, Record(1, "alice"));
  directory_.Publish(CallEvent::STARTED, Record(2, "bob"));
  directory_.Publish(CallEvent::STARTED, Record(4, "alice"));
  EXPECT_THAT(Users(directory_.List({})), ElementsAre("alice", "bob", "carol", "alice"));
  CallFilter filter;
  filter.user = "alice";
  EXPECT_THAT(directory_.MatchingIds(filter), ElementsAre(1, 4));
  filter.peer_address = 0xc0000204;
  EXPECT_THAT(directory_.MatchingIds(filter), ElementsAre(4));
  filter.id = 1;
  EXPECT_THAT(directory_.MatchingIds(filter), IsEmpty());
  filter = {};
  filter.client_address = 0x0a4d0001;
  EXPECT_THAT(directory_.MatchingIds(filter), IsEmpty());
}

TEST_F(CallDirectoryTest, CountersComeByHandleAndGiveRates) {
  directory_.Publish(CallEvent::STARTED, Record(1));
  directory_.OnCounters(Round(1001, 1000, 0));
  EXPECT_EQ(directory_.Get(1)->upstream_octets(), 1000u);
  EXPECT_EQ(directory_.Get(1)->upstream_packets(), 10u);
  EXPECT_EQ(directory_.Get(1)->drops(), 5u);
  EXPECT_EQ(directory_.Get(1)->upstream_bps(), 0u);  // one reading is no rate
  now_ms_ += 500;
  directory_.OnCounters(Round(1001, 2000, 4000));
  EXPECT_EQ(directory_.Get(1)->upstream_bps(), 16'000u);
  EXPECT_EQ(directory_.Get(1)->downstream_bps(), 64'000u);
  directory_.OnCounters(Round(1001, 2000, 4000));  // same instant: nothing divides by zero
  now_ms_ += 60'000;                               // idle, so not told of
  directory_.OnCounters(Round(1001, 3000, 4000));
  EXPECT_EQ(directory_.Get(1)->upstream_bps(), 8'000u) << "of the last second";
  now_ms_ += 500;
  directory_.OnCounters(Round(1001, 10, 10));  // the data plane was started anew
  EXPECT_EQ(directory_.Get(1)->upstream_bps(), 0u);
  directory_.OnCounters(Round(77, 1, 1));  // nobody's
}

TEST_F(CallDirectoryTest, ANewHandleReplacesTheOld) {
  directory_.Publish(CallEvent::STARTED, Record(1));
  CallRecord record = Record(1);
  record.handle = 5;
  directory_.Update(record);
  directory_.OnCounters(Round(1001, 1, 1));
  EXPECT_EQ(directory_.Get(1)->upstream_octets(), 0u);
  directory_.OnCounters(Round(5, 7, 1));
  EXPECT_EQ(directory_.Get(1)->upstream_octets(), 7u);
}

TEST_F(CallDirectoryTest, AWatchGetsTheSnapshotAndWhatFollows) {
  directory_.Publish(CallEvent::STARTED, Record(1));
  auto subscription = directory_.Subscribe({});
  ASSERT_TRUE(subscription);
  EXPECT_EQ(subscription->snapshot.size(), 1u);
  EXPECT_THAT(subscription->watch->Take(milliseconds(0)), IsEmpty());
  directory_.Publish(CallEvent::STARTED, Record(2));
  directory_.Publish(CallEvent::UP, Record(2));
  CallRecord ended = Record(2);
  ended.end_reason = "peer hung up";
  directory_.Publish(CallEvent::DOWN, ended);
  const auto events = subscription->watch->Take(milliseconds(0));
  EXPECT_THAT(Kinds(events), ElementsAre(CallEvent::STARTED, CallEvent::UP, CallEvent::DOWN));
  EXPECT_EQ(events[2].call().end_reason(), "peer hung up");
  EXPECT_EQ(events[2].time().seconds(), 5);
}

TEST_F(CallDirectoryTest, AWatchGetsOnlyWhatMatches) {
  CallFilter filter;
  filter.user = "bob";
  auto subscription = directory_.Subscribe(filter);
  directory_.Publish(CallEvent::STARTED, Record(1, "alice"));
  directory_.Publish(CallEvent::STARTED, Record(2, "bob"));
  EXPECT_THAT(Kinds(subscription->watch->Take(milliseconds(0))), ElementsAre(CallEvent::STARTED));
}

TEST_F(CallDirectoryTest, ASlowWatchIsCutOff) {
  auto subscription = directory_.Subscribe({});
  for (size_t i = 0; i <= CallWatch::kMaxQueued; ++i) {
    directory_.Publish(CallEvent::UP, Record(1));
  }
  EXPECT_EQ(subscription->watch->state(), CallWatch::State::kTooSlow);
  EXPECT_THAT(subscription->watch->Take(milliseconds(0)), IsEmpty());
}

TEST_F(CallDirectoryTest, WatchesAreBoundedAndForgotten) {
  std::vector<CallDirectory::Subscription> subscriptions;
  for (size_t i = 0; i < CallDirectory::kMaxWatches; ++i) {
    subscriptions.push_back(*directory_.Subscribe({}));
  }
  EXPECT_FALSE(directory_.Subscribe({}));
  subscriptions.pop_back();
  EXPECT_TRUE(directory_.Subscribe({}));
  directory_.CloseWatches();
  EXPECT_EQ(subscriptions[0].watch->state(), CallWatch::State::kClosed);
  subscriptions.clear();
  EXPECT_EQ(directory_.Subscribe({})->watch->state(), CallWatch::State::kClosed);
}

// Whatever the interleaving, a watcher that applies events to its snapshot ends where the
// directory does.
TEST_F(CallDirectoryTest, NoChangeIsMissedBesidesPublishers) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> publishers;
  for (uint64_t base : {1000, 2000}) {
    publishers.emplace_back([this, base, &stop] {
      for (uint64_t i = 0; i < 500 || !stop; ++i) {
        directory_.Publish(CallEvent::STARTED, Record(base + i % 50));
        if (i % 3 != 0) directory_.Publish(CallEvent::DOWN, Record(base + i % 50));
        if (i >= 20'000) break;  // within the queue's bound
      }
    });
  }
  auto subscription = directory_.Subscribe({});
  stop = true;
  for (std::thread& thread : publishers) thread.join();
  std::set<std::string> ids;
  for (const auto& call : subscription->snapshot) ids.insert(call.id());
  for (const CallEvent& event : subscription->watch->Take(milliseconds(0))) {
    if (event.kind() == CallEvent::DOWN) {
      EXPECT_EQ(ids.erase(event.call().id()), 1u);
    } else {
      ids.insert(event.call().id());
    }
  }
  std::set<std::string> expected;
  for (const auto& call : directory_.List({})) expected.insert(call.id());
  EXPECT_EQ(ids, expected);
}

TEST(CallId, IsSixteenHexDigits) {
  EXPECT_EQ(FormatCallId(0x1234), "0000000000001234");
  EXPECT_EQ(ParseCallId("0000000000001234"), 0x1234u);
  EXPECT_EQ(ParseCallId("FFFFFFFFFFFFFFFF"), ~uint64_t{0});
  for (const char* bad :
       {"", "1234", "000000000000123g", "-000000000001234", "00000000000012345"}) {
    EXPECT_FALSE(ParseCallId(bad)) << bad;
  }
}

}  // namespace
}  // namespace culvert
