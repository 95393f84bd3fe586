#include "controlplane/accounting/sessions.h"

#include <gtest/gtest.h>

#include <set>

namespace culvert::accounting {
namespace {

constexpr uint32_t kWall = 1'700'000'000;
Now At(uint32_t second) { return {.wall_s = kWall + second, .steady_s = 100 + second}; }

class SessionsTest : public ::testing::Test {
 protected:
  std::vector<Entry> Take() { return std::exchange(entries_, {}); }
  void Start(uint64_t id, uint32_t second, std::optional<uint32_t> interval_s = std::nullopt) {
    v1::Session session;
    session.set_id("id" + std::to_string(id));
    session.set_user("alice");
    sessions_.Start(id, 1000 + id, id, session, interval_s, At(second), &entries_);
  }
  static v1::Record Parse(const Entry& entry) {
    v1::Record record;
    EXPECT_TRUE(record.ParseFromString(entry.record));
    return record;
  }
  void Until(uint32_t second) {
    for (; second_ < second;) {
      sessions_.Advance(At(++second_), &entries_);
    }
  }

  uint32_t random_ = 0;
  uint32_t second_ = 0;
  Sessions sessions_{
      {.interval_s = 600, .min_interval_s = 60, .jitter_percent = 50, .checkpoint_s = 60},
      [this](uint32_t n) { return random_ % n; }};
  std::vector<Entry> entries_;
};

TEST_F(SessionsTest, StartAndStop) {
  Start(1, 0);
  std::vector<Entry> entries = Take();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].step, Entry::Step::kStart);
  v1::Record start = Parse(entries[0]);
  EXPECT_EQ(start.kind(), v1::KIND_START);
  EXPECT_EQ(start.time_s(), kWall);
  EXPECT_EQ(start.session().id(), "id1");
  EXPECT_EQ(start.session().started_s(), kWall);

  sessions_.Count(1001, {.input_octets = 10, .input_packets = 1, .output_octets = 5'000'000'000});
  sessions_.End(1, {.input_octets = 20, .output_packets = 3}, TerminateCause::kLostCarrier, At(42),
                &entries_);
  entries = Take();
  ASSERT_EQ(entries.size(), 1u);
  const v1::Record stop = Parse(entries[0]);
  EXPECT_EQ(stop.kind(), v1::KIND_STOP);
  EXPECT_EQ(stop.session_time_s(), 42u);
  EXPECT_EQ(stop.terminate_cause(), 2u);
  EXPECT_EQ(stop.traffic().input_octets(), 20u) << "the final counters";
  EXPECT_EQ(stop.traffic().input_packets(), 1u) << "the last that were known";
  EXPECT_EQ(stop.traffic().output_octets(), 5'000'000'000u);
  EXPECT_EQ(stop.traffic().output_packets(), 3u);
  sessions_.End(1, {}, TerminateCause::kLostCarrier, At(43), &entries_);
  EXPECT_TRUE(Take().empty()) << "one Stop";
  EXPECT_EQ(sessions_.size(), 0u);
}

// A server that says "never" in this way got an Interim a second: the time wrapped round.
TEST_F(SessionsTest, TheLongestIntervalIsNotTheShortest) {
  Start(1, 0, UINT32_MAX);
  Start(2, 0);
  sessions_.Change(2, {}, UINT32_MAX, At(0), &entries_);
  Take();
  Until(3000);
  for (const Entry& entry : Take()) {
    EXPECT_NE(entry.step, Entry::Step::kInterim) << "call " << entry.call;
  }
}

TEST_F(SessionsTest, InterimsComeInTheirInterval) {
  random_ = 100;  // seconds early, the first
  Start(1, 0);
  Take();
  std::vector<uint32_t> at;
  for (second_ = 0; second_ < 1800;) {
    sessions_.Count(1001, {.input_octets = second_});
    sessions_.Advance(At(++second_), &entries_);
    for (const Entry& entry : Take()) {
      if (entry.step == Entry::Step::kInterim) {
        at.push_back(second_);
        EXPECT_EQ(Parse(entry).traffic().input_octets(), second_ - 1);
        EXPECT_EQ(Parse(entry).session_time_s(), second_);
      }
    }
  }
  EXPECT_EQ(at, (std::vector<uint32_t>{500, 1100, 1700}));
}

TEST_F(SessionsTest, FirstInterimsAreSpread) {
  std::set<uint32_t> at;
  for (uint64_t id = 1; id <= 300; ++id) {
    random_ = static_cast<uint32_t>(id);
    Start(id, 0);
  }
  Take();
  for (second_ = 0; second_ < 600;) {
    sessions_.Advance(At(++second_), &entries_);
    if (!Take().empty()) {
      at.insert(second_);
    }
  }
  EXPECT_EQ(at.size(), 300u);
  EXPECT_GE(*at.begin(), 300u);
}

TEST_F(SessionsTest, IntervalsOfTheServerAndNone) {
  Start(1, 0, 5);  // RFC 2869 s5.16: not below 60
  Start(2, 0, 0);
  Start(3, 0, 10'000);  // more than the wheel has slots
  Take();
  std::map<uint64_t, std::vector<uint32_t>> at;
  for (second_ = 0; second_ < 10'050;) {
    sessions_.Advance(At(++second_), &entries_);
    for (const Entry& entry : Take()) {
      at[entry.call].push_back(second_);
    }
  }
  EXPECT_EQ(at[1].size(), 10'050u / 60);
  EXPECT_TRUE(at[2].empty());
  EXPECT_EQ(at[3], std::vector<uint32_t>{10'000});
}

TEST_F(SessionsTest, CheckpointsOnlyWhatHasChanged) {
  Start(1, 0, 0);
  Start(2, 0, 0);
  Take();
  sessions_.Count(1001, {.input_octets = 9});
  Until(70);
  std::vector<Entry> entries = Take();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].step, Entry::Step::kAlive);
  EXPECT_EQ(entries[0].call, 1u);
  EXPECT_EQ(entries[0].traffic.input_octets, 9u);
  EXPECT_TRUE(entries[0].record.empty());
  Until(300);
  EXPECT_TRUE(Take().empty());
}

TEST_F(SessionsTest, AChangeGoesIntoAllThatFollows) {
  Start(1, 0);
  Take();
  v1::Session session;
  session.set_id("id1");
  session.add_classes("new");
  sessions_.Change(1, session, 120, At(10), &entries_);
  std::vector<Entry> entries = Take();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].step, Entry::Step::kAlive);
  v1::Session saved;
  ASSERT_TRUE(saved.ParseFromString(entries[0].session));
  EXPECT_EQ(saved.started_s(), kWall);
  Until(130);
  entries = Take();
  ASSERT_EQ(entries.size(), 1u) << "the interval is new, too";
  EXPECT_EQ(Parse(entries[0]).session().classes(0), "new");
  EXPECT_EQ(second_, 130u);
}

TEST_F(SessionsTest, AHandleThatIsUsedAgainIsTheNewCalls) {
  v1::Session session;
  sessions_.Start(1, 77, 1, session, 0, At(0), &entries_);
  sessions_.Start(2, 77, 2, session, 0, At(0), &entries_);
  sessions_.End(1, {}, TerminateCause::kUserRequest, At(1), &entries_);
  Take();
  sessions_.Count(77, {.input_octets = 4});
  sessions_.End(2, {}, TerminateCause::kUserRequest, At(1), &entries_);
  EXPECT_EQ(Parse(Take().at(0)).traffic().input_octets(), 4u);
}

TEST_F(SessionsTest, EndAllAndRestore) {
  Start(1, 0);
  Start(2, 0);
  Take();
  sessions_.Restore(&entries_);
  EXPECT_EQ(Take().size(), 2u);
  sessions_.EndAll(TerminateCause::kAdminReboot, At(5), &entries_);
  const std::vector<Entry> entries = Take();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(Parse(entries[0]).terminate_cause(), 7u);
  sessions_.EndAll(TerminateCause::kAdminReboot, At(5), &entries_);
  EXPECT_TRUE(Take().empty());
}

}  // namespace
}  // namespace culvert::accounting
