#include "controlplane/accounting/spool/spool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace culvert::accounting {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SpoolTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "spool-XXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    path_ = folder_ + "/spool";
    Open();
  }
  void TearDown() override {
    spool_.reset();
    std::filesystem::remove_all(folder_);
  }
  void Open(uint64_t max_octets = 1 << 30) {
    spool_.reset();
    absl::StatusOr<std::unique_ptr<Spool>> spool =
        Spool::Open({.path = path_, .max_octets = max_octets});
    ASSERT_TRUE(spool.ok()) << spool.status();
    spool_ = *std::move(spool);
  }
  static Entry Make(Entry::Step step, uint64_t call, const std::string& record = "r") {
    return {
        .step = step, .call = call, .time_s = 5, .record = record, .session = {}, .traffic = {}};
  }
  static Entry Start(uint64_t call) {
    Entry entry = Make(Entry::Step::kStart, call, "start");
    entry.session = "session";
    return entry;
  }
  std::vector<StoredRecord> Records(int64_t after, size_t limit) {
    absl::StatusOr<std::vector<StoredRecord>> records = spool_->Read(after, limit);
    EXPECT_TRUE(records.ok()) << records.status();
    return *std::move(records);
  }
  std::vector<std::string> Texts(int64_t after = 0) {
    std::vector<std::string> texts;
    for (const StoredRecord& record : Records(after, 1000)) {
      texts.push_back(std::to_string(record.call) + record.record);
    }
    return texts;
  }

  std::string folder_, path_;
  std::unique_ptr<Spool> spool_;
};

TEST_F(SpoolTest, KeepsRecordsInOrderUntilTheyAreDone) {
  const Entry entries[] = {Start(1), Start(2), Make(Entry::Step::kStop, 1, "stop")};
  ASSERT_TRUE(spool_->Commit(entries, {}, 9).ok());
  EXPECT_THAT(Texts(), ElementsAre("1start", "2start", "1stop"));
  EXPECT_THAT(Texts(2), ElementsAre("1stop"));
  const int64_t done[] = {1};
  ASSERT_TRUE(spool_->Commit({}, done, 9).ok());
  EXPECT_EQ(spool_->Usage()->num_records, 2u);
  Open();
  EXPECT_THAT(Texts(), ElementsAre("2start", "1stop"));
  EXPECT_EQ(spool_->Usage()->num_records, 2u);
  EXPECT_EQ(spool_->Usage()->oldest_s, 5u);
  EXPECT_EQ(spool_->alive_s(), 9u);
  EXPECT_EQ(spool_->next_call(), 3u);
}

TEST_F(SpoolTest, KnowsTheCallsThatLive) {
  Entry interim = Make(Entry::Step::kInterim, 2, "interim");
  interim.traffic = {.input_octets = UINT64_MAX, .output_octets = 7};
  const Entry entries[] = {Start(1), Start(2), interim, Make(Entry::Step::kStop, 1)};
  ASSERT_TRUE(spool_->Commit(entries, {}, 9).ok());
  std::vector<LiveCall> live = *spool_->Live();
  ASSERT_EQ(live.size(), 1u);
  EXPECT_EQ(live[0].call, 2u);
  EXPECT_EQ(live[0].session, "session");
  EXPECT_EQ(live[0].traffic, interim.traffic);

  Entry changed = Make(Entry::Step::kAlive, 2, "");
  changed.session = "other";
  changed.traffic.input_packets = 3;
  ASSERT_TRUE(spool_->Commit({&changed, 1}, {}, 9).ok());
  live = *spool_->Live();
  ASSERT_EQ(live.size(), 1u);
  EXPECT_EQ(live[0].session, "other");
  EXPECT_EQ(live[0].traffic, changed.traffic);
}

TEST_F(SpoolTest, NewerRecordsTakeThePlaceOfInterims) {
  const Entry entries[] = {Start(1), Make(Entry::Step::kInterim, 1, "a"), Start(2),
                           Make(Entry::Step::kInterim, 2, "a"),
                           Make(Entry::Step::kInterim, 1, "b")};
  ASSERT_TRUE(spool_->Commit(entries, {}, 9).ok());
  EXPECT_THAT(Texts(), ElementsAre("1start", "2start", "2a", "1b"));
  const Entry stop = Make(Entry::Step::kStop, 1, "stop");
  ASSERT_TRUE(spool_->Commit({&stop, 1}, {}, 9).ok());
  EXPECT_THAT(Texts(), ElementsAre("1start", "2start", "2a", "1stop"));
  EXPECT_EQ(spool_->Usage()->num_records, 4u);
  EXPECT_EQ(*spool_->DropInterims(), 1u);
  EXPECT_EQ(spool_->Usage()->num_records, 3u);
}

TEST_F(SpoolTest, RecordsAreSetAside) {
  const Entry entries[] = {Start(1), Start(2)};
  ASSERT_TRUE(spool_->Commit(entries, {}, 9).ok());
  ASSERT_TRUE(spool_->SetAside(1).ok());
  EXPECT_THAT(Texts(), ElementsAre("2start"));
  EXPECT_EQ(spool_->Usage()->num_stuck, 1u);
  const std::vector<StoredRecord> aside = *spool_->ReadAside(0, 10);
  ASSERT_EQ(aside.size(), 1u);
  EXPECT_TRUE(aside[0].aside);
  EXPECT_THAT(*spool_->ReadAside(1, 10), IsEmpty());
  const int64_t done[] = {1};
  ASSERT_TRUE(spool_->Commit({}, done, 9).ok());
  EXPECT_EQ(spool_->Usage()->num_stuck, 0u);
}

TEST_F(SpoolTest, AFullFileRefusesAndStaysWhole) {
  Open(256 << 10);
  std::vector<Entry> entries(8, Start(1));
  absl::Status status;
  uint64_t written = 0;
  for (int i = 0; i < 1000 && status.ok(); ++i) {
    for (Entry& entry : entries) {
      entry = Start(entry.call + 1000);
      entry.record = std::string(400, 'x');
    }
    status = spool_->Commit(entries, {}, 9);
    written += status.ok() ? entries.size() : 0;
  }
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_NE(status.message().find(path_), std::string::npos) << status;
  const SpoolUsage usage = *spool_->Usage();
  EXPECT_EQ(usage.num_records, written);
  EXPECT_LE(usage.octets, 256u << 10);
  EXPECT_GE(usage.octets, 200u << 10);
  EXPECT_EQ(spool_->Read(0, 10000)->size(), written);
  std::vector<int64_t> done;
  for (const StoredRecord& record : Records(0, 100)) {
    done.push_back(record.seq);
  }
  ASSERT_TRUE(spool_->Commit({}, done, 9).ok()) << "what is done makes room";
  EXPECT_TRUE(spool_->Commit(entries, {}, 9).ok());
}

TEST_F(SpoolTest, DamageIsSeenWhenItIsOpened) {
  spool_.reset();
  std::ofstream(path_, std::ios::trunc) << std::string(10000, 'x');
  absl::StatusOr<std::unique_ptr<Spool>> spool =
      Spool::Open({.path = path_, .max_octets = 1 << 20});
  EXPECT_TRUE(absl::IsDataLoss(spool.status())) << spool.status();
}

TEST_F(SpoolTest, OneProcessHasIt) {
  absl::StatusOr<std::unique_ptr<Spool>> second =
      Spool::Open({.path = path_, .max_octets = 1 << 20});
  EXPECT_TRUE(absl::IsUnavailable(second.status())) << second.status();
}

// Far below what a machine does that has nothing else to do: a loaded one with sanitizers passes.
TEST_F(SpoolTest, IsFastEnough) {
  constexpr uint64_t kCalls = 20'000, kBatch = 500;
  const auto begin = std::chrono::steady_clock::now();
  std::vector<int64_t> done;
  for (uint64_t first = 1; first <= kCalls; first += kBatch) {
    std::vector<Entry> entries;
    for (uint64_t call = first; call < first + kBatch; ++call) {
      entries.push_back(Start(call));
      entries.back().session = entries.back().record = std::string(250, 's');
      if (call > kBatch) {
        entries.push_back(Make(Entry::Step::kStop, call - kBatch, std::string(300, 'e')));
      }
    }
    ASSERT_TRUE(spool_->Commit(entries, done, 9).ok());
    done.clear();
    for (const StoredRecord& record : Records(0, 2 * kBatch)) {
      done.push_back(record.seq);
    }
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const double rate = 2 * kCalls / took.count();
  RecordProperty("records_per_second", static_cast<int>(rate));
  std::printf("%.0f records a second, written, read and forgotten\n", rate);
  EXPECT_GT(rate, 1000);
}

}  // namespace
}  // namespace culvert::accounting
