#include "controlplane/aaa/policy/session_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace culvert {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Entry = SessionLimits::Entry;

class SessionLimitsTest : public ::testing::Test {
 protected:
  Entry Enter(uint64_t call, SessionLimits::Rule rule, std::string_view user = "alice") {
    return limits_.Enter(
        user, call, rule, [this, call](bool in) { (in ? in_ : displaced_).push_back(call); },
        &tickets_[call]);
  }
  void Leave(uint64_t call) { limits_.Leave(tickets_[call]); }

  std::vector<uint64_t> ended_, in_, displaced_;
  std::map<uint64_t, SessionTicket> tickets_;
  SessionLimits limits_{1, true, [this](const std::vector<uint64_t>& calls) {
                          ended_.insert(ended_.end(), calls.begin(), calls.end());
                        }};
};

TEST_F(SessionLimitsTest, RefusesOneTooMany) {
  EXPECT_EQ(Enter(1, {.max = 2}), Entry::kIn);
  EXPECT_EQ(Enter(2, {.max = 2}), Entry::kIn);
  EXPECT_EQ(Enter(3, {.max = 2}), Entry::kRefused);
  EXPECT_EQ(Enter(4, {.max = 2}, "ALICE"), Entry::kRefused) << "case is folded";
  EXPECT_EQ(Enter(5, {.max = 2}, "bob"), Entry::kIn);
  Leave(1);
  EXPECT_EQ(Enter(3, {.max = 2}), Entry::kIn);
  EXPECT_EQ(limits_.counters().refused, 2u);
  EXPECT_EQ(limits_.counters().users, 2u);
  for (const uint64_t call : {2, 3, 5}) {
    Leave(call);
  }
  EXPECT_EQ(limits_.counters().users, 0u);
}

TEST_F(SessionLimitsTest, TheOldestGoesAndTheNewOneWaitsForIt) {
  EXPECT_EQ(Enter(1, {.max = 2, .replace = true}), Entry::kIn);
  EXPECT_EQ(Enter(2, {.max = 2, .replace = true}), Entry::kIn);
  EXPECT_EQ(Enter(3, {.max = 2, .replace = true}), Entry::kWaits);
  EXPECT_THAT(ended_, ElementsAre(1));
  EXPECT_THAT(in_, IsEmpty());
  Leave(1);
  EXPECT_THAT(in_, ElementsAre(3));
  EXPECT_EQ(limits_.counters().replaced, 1u);
}

TEST_F(SessionLimitsTest, TwoLoginsAtOnceEndWithOne) {
  EXPECT_EQ(Enter(1, {.replace = true}), Entry::kIn);
  EXPECT_EQ(Enter(2, {.replace = true}), Entry::kWaits);
  EXPECT_EQ(Enter(3, {.replace = true}), Entry::kWaits);
  EXPECT_THAT(displaced_, ElementsAre(2)) << "before it was in";
  EXPECT_THAT(ended_, ElementsAre(1)) << "asked once";
  Leave(1);
  EXPECT_THAT(in_, ElementsAre(3));
  Leave(3);
  EXPECT_EQ(limits_.counters().users, 0u);
}

// Threads log one user in at random; at no moment more than `max` are in.
TEST(SessionLimits, NeverMoreThanAllowedWhateverTheOrder) {
  constexpr uint32_t kMax = 2;
  std::mutex mutex;
  std::set<uint64_t> in;
  std::map<uint64_t, SessionTicket> tickets;
  size_t most = 0;
  std::vector<uint64_t> to_end;
  SessionLimits limits(1, false, [&](const std::vector<uint64_t>& calls) {
    const std::lock_guard lock(mutex);
    to_end.insert(to_end.end(), calls.begin(), calls.end());
  });
  const auto enter = [&](uint64_t call) {
    const std::lock_guard lock(mutex);
    in.insert(call);
    most = std::max(most, in.size());
  };
  const auto end_one = [&] {
    SessionTicket ticket;
    {
      const std::lock_guard lock(mutex);
      // Only a call that is in can end: the others are on their way in, and are looked at again.
      const auto it = std::find_if(to_end.begin(), to_end.end(),
                                   [&](uint64_t call) { return in.contains(call); });
      if (it == to_end.end()) return;
      ticket = tickets[*it];
      in.erase(*it);
      to_end.erase(it);
    }
    limits.Leave(ticket);
  };
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t i = 1; i <= 500; ++i) {
        const uint64_t call = t * 1000 + i;
        SessionTicket* ticket = nullptr;
        {
          const std::lock_guard lock(mutex);
          ticket = &tickets[call];
        }
        const Entry entry = limits.Enter(
            "alice", call, {.max = kMax, .replace = true},
            [&, call](bool entered) {
              if (entered) enter(call);
            },
            ticket);
        if (entry == Entry::kIn) enter(call);
        end_one();
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (int i = 0; i < 5000; ++i) {
    end_one();
  }
  EXPECT_LE(most, kMax);
  EXPECT_EQ(in.size(), kMax) << "the last ones";
  EXPECT_THAT(to_end, IsEmpty());
}

}  // namespace
}  // namespace culvert
