#include "controlplane/accounting/accounting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <random>
#include <thread>

#include "controlplane/accounting/delivery/fake_transport.h"

namespace culvert::accounting {
namespace {

using std::chrono::milliseconds;
using testing::FakeTransport;

class AccountingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "accounting-XXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    settings_.spool.path = folder_ + "/spool";
  }
  void TearDown() override {
    accounting_.reset();
    std::filesystem::remove_all(folder_);
  }
  void Start(Transport* transport) {
    auto accounting =
        Accounting::Start(settings_, transport, [](uint32_t n) { return n == 0 ? 0 : n - 1; });
    ASSERT_TRUE(accounting.ok()) << accounting.status();
    accounting_ = *std::move(accounting);
  }
  static v1::Session Session(uint64_t id) {
    v1::Session session;
    session.set_id("id" + std::to_string(id));
    return session;
  }
  static bool Eventually(const std::function<bool()>& condition,
                         std::chrono::seconds limit = std::chrono::seconds(120)) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) {
        return false;
      }
      std::this_thread::sleep_for(milliseconds(10));
    }
    return true;
  }

  std::string folder_;
  AccountingSettings settings_;
  std::unique_ptr<Accounting> accounting_;
};

TEST_F(AccountingTest, TellsTheLifeOfACall) {
  settings_.interims = {.interval_s = 1, .min_interval_s = 1, .jitter_percent = 0};
  FakeTransport server;
  Start(&server);
  accounting_->OnUp(1, 11, Session(1), std::nullopt);
  accounting_->OnTraffic({{11, {.input_octets = 100}}, {12, {.input_octets = 7}}});
  ASSERT_TRUE(Eventually([&] { return server.Count(v1::KIND_INTERIM) >= 1; }));
  accounting_->OnEnded(1, {.input_octets = 150}, TerminateCause::kUserRequest);
  accounting_->Stop(milliseconds(60'000));
  std::vector<v1::Kind> kinds;
  for (const FakeTransport::Sent& sent : server.sent()) {
    if (kinds.empty() || kinds.back() != sent.record.kind()) {  // there may be a second Interim
      kinds.push_back(sent.record.kind());
    }
  }
  EXPECT_THAT(kinds, ::testing::ElementsAre(v1::KIND_ON, v1::KIND_START, v1::KIND_INTERIM,
                                            v1::KIND_STOP, v1::KIND_OFF));
  EXPECT_EQ(server.sent()[2].record.traffic().input_octets(), 100u);
  const v1::Record stop = server.sent()[server.sent().size() - 2].record;
  EXPECT_EQ(stop.traffic().input_octets(), 150u);
  EXPECT_EQ(stop.terminate_cause(), 1u);
  const AccountingUsage usage = accounting_->Usage();
  EXPECT_EQ(usage.acknowledged[static_cast<size_t>(Entry::Step::kStop)], 1u);
}

TEST_F(AccountingTest, AtTheEndAllCallsAreStoppedAndOnDisk) {
  FakeTransport silent([](const v1::Record&, const FakeTransport::Done&) {});
  Start(&silent);
  for (uint64_t id = 1; id <= 100; ++id) {
    accounting_->OnUp(id, id, Session(id), std::nullopt);
  }
  const auto begin = std::chrono::steady_clock::now();
  accounting_->Stop(milliseconds(300));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60)) << "not for ever";
  accounting_.reset();
  absl::StatusOr<std::unique_ptr<Spool>> spool =
      Spool::Open({.path = settings_.spool.path, .max_octets = 1 << 30});
  ASSERT_TRUE(spool.ok());
  EXPECT_TRUE((*spool)->Live()->empty());
  EXPECT_EQ((*spool)->Usage()->num_records, 202u);  // with On and Off
}

TEST_F(AccountingTest, TheNextStartEndsWhatWasLeft) {
  {
    FakeTransport server;
    Start(&server);
    accounting_->OnUp(1, 11, Session(1), std::nullopt);
    ASSERT_TRUE(Eventually([&] { return server.Count(v1::KIND_START) == 1; }));
    accounting_.reset();  // without Stop()
  }
  FakeTransport server;
  Start(&server);
  ASSERT_TRUE(Eventually([&] { return server.Count(v1::KIND_ON) == 1; }));
  const std::vector<FakeTransport::Sent> sent = server.sent();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].record.kind(), v1::KIND_STOP) << "before Accounting-On, which ends all calls";
  EXPECT_EQ(sent[0].record.session().id(), "id1");
  EXPECT_EQ(sent[0].record.terminate_cause(), 11u);
}

// Soak: servers that lose requests and answers, answer late, twice, or not at all for a while.
// A part of the servers (a realm behind a proxy) was away for long, and is back.
TEST_F(AccountingTest, RecordsSetAsideFollowWhenOneGetsThrough) {
  constexpr uint64_t kAside = 500;
  {
    auto spool = *Spool::Open({.path = settings_.spool.path, .max_octets = 1 << 30});
    std::vector<Entry> entries;
    for (uint64_t call = 1; call <= kAside; ++call) {
      const std::string session = Session(call).SerializeAsString();
      entries.push_back({.step = Entry::Step::kStop,
                         .call = call,
                         .time_s = 1000,
                         .record = StopRecord(session, 1000, 5, {}, TerminateCause::kUserRequest),
                         .session = {},
                         .traffic = {}});
    }
    ASSERT_TRUE(spool->Commit(entries, {}, 1000).ok());
    const std::vector<StoredRecord> records = *spool->Read(0, kAside);
    for (const StoredRecord& record : records) {
      ASSERT_TRUE(spool->SetAside(record.seq).ok());
    }
  }
  std::atomic<uint64_t> most = 0, outstanding = 0;
  std::mutex mutex;
  std::vector<FakeTransport::Done> answers;
  FakeTransport server([&](const v1::Record& record, FakeTransport::Done done) {
    if (record.kind() != v1::KIND_STOP) {
      return done(true);
    }
    most = std::max<uint64_t>(most, ++outstanding);
    const std::lock_guard lock(mutex);
    answers.push_back(std::move(done));
  });
  Start(&server);
  EXPECT_TRUE(Eventually(
      [&] {
        std::vector<FakeTransport::Done> now;
        {
          const std::lock_guard lock(mutex);
          now.swap(answers);
        }
        for (const FakeTransport::Done& done : now) {
          --outstanding;
          done(true);
        }
        return server.Count(v1::KIND_STOP) == kAside;
      },
      std::chrono::seconds(60)));
  EXPECT_LE(most, 16u) << "should they still be in vain, the others have the rest";
  accounting_.reset();
}

TEST_F(AccountingTest, ThousandsOfCallsOverABadServer) {
  struct Delayed {
    std::chrono::steady_clock::time_point at;
    bool acknowledged;
    FakeTransport::Done done;
  };
  std::mutex mutex;
  std::deque<Delayed> delayed;
  std::mt19937 random(4);
  std::atomic<bool> away = false, over = false;
  std::vector<v1::Record> accepted;
  FakeTransport server([&](const v1::Record& record, FakeTransport::Done done) {
    const std::lock_guard lock(mutex);
    const uint32_t dice = random() % 100;
    // Accounting-On would hold all up for seconds.
    const bool is_call = record.kind() != v1::KIND_ON;
    const bool request_lost = is_call && (away || dice < 3), answer_lost = is_call && dice < 6;
    if (!request_lost) {
      accepted.push_back(record);
    }
    delayed.push_back({.at = std::chrono::steady_clock::now() + milliseconds(random() % 20),
                       .acknowledged = !answer_lost && !request_lost,
                       .done = std::move(done)});
  });
  std::thread answers([&] {
    while (!over) {
      std::vector<Delayed> due;
      {
        const std::lock_guard lock(mutex);
        while (!delayed.empty() && delayed.front().at <= std::chrono::steady_clock::now()) {
          due.push_back(std::move(delayed.front()));
          delayed.pop_front();
        }
      }
      for (const Delayed& one : due) {
        one.done(one.acknowledged);
        if (one.acknowledged) {
          one.done(true);  // a duplicate
        }
      }
      std::this_thread::sleep_for(milliseconds(2));
    }
  });
  constexpr uint64_t kCalls = 3500;
  Start(&server);
  for (uint64_t id = 1; id <= kCalls; ++id) {
    accounting_->OnUp(id, id, Session(id), std::nullopt);
    if (id % 100 == 0) {
      std::this_thread::sleep_for(milliseconds(5));
    }
    if (id > 1000) {
      accounting_->OnEnded(id - 1000, {.input_octets = id}, TerminateCause::kUserRequest);
    }
    away = id > 2000 && id < 3000;
  }
  const auto stops = [&] {
    const AccountingUsage usage = accounting_->Usage();
    return usage.acknowledged[static_cast<size_t>(Entry::Step::kStop)];
  };
  // A record that is lost n times in a row waits 1 + 2 + ... + n seconds, and the last few, with
  // no other acknowledged beside them, wait as long as if the server were away.
  EXPECT_TRUE(Eventually([&] { return stops() == kCalls - 1000; })) << stops();
  accounting_->Stop(milliseconds(60'000));
  over = true;
  answers.join();

  std::map<std::string, std::vector<v1::Record>> by_call;
  for (const v1::Record& record : accepted) {
    by_call[record.session().id()].push_back(record);
  }
  ASSERT_GE(by_call.size(), kCalls);
  for (uint64_t id = 1; id <= kCalls; ++id) {
    const std::vector<v1::Record>& records = by_call["id" + std::to_string(id)];
    ASSERT_GE(records.size(), 2u) << id;
    EXPECT_EQ(records.front().kind(), v1::KIND_START) << id;
    EXPECT_EQ(records.back().kind(), v1::KIND_STOP) << id;
    for (const v1::Record& record : records) {  // repeated ones say the same
      const v1::Record& like = record.kind() == v1::KIND_START ? records.front() : records.back();
      EXPECT_EQ(record.SerializeAsString(), like.SerializeAsString());
    }
    EXPECT_EQ(records.back().terminate_cause(), id <= kCalls - 1000 ? 1u : 7u);
  }
  EXPECT_EQ(accounting_->Usage().journal.spool.num_records, 0u);
}

TEST_F(AccountingTest, TwentyThousandCallsAtOnce) {
  FakeTransport server;
  Start(&server);
  constexpr uint64_t kCalls = 20'000;
  const auto begin = std::chrono::steady_clock::now();
  for (uint64_t id = 1; id <= kCalls; ++id) {
    v1::Session session = Session(id);
    session.set_user("a user with a name");
    session.add_classes(std::string(40, 'c'));
    accounting_->OnUp(id, id, std::move(session), std::nullopt);
    if (id > 100) {
      accounting_->OnEnded(id - 100, {.input_octets = id}, TerminateCause::kUserRequest);
    }
  }
  accounting_->Stop(milliseconds(60'000));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("%.0f records a second from call to server\n", 2 * kCalls / took.count());
  EXPECT_EQ(accounting_->Usage().acknowledged[static_cast<size_t>(Entry::Step::kStop)], kCalls);
}

}  // namespace
}  // namespace culvert::accounting
