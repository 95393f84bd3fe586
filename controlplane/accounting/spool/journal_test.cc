#include "controlplane/accounting/spool/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace culvert::accounting {
namespace {

using ::testing::ElementsAre;
using Step = Entry::Step;

class JournalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "journal-XXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    settings_.path = folder_ + "/spool";
  }
  void TearDown() override {
    journal_.reset();
    std::filesystem::remove_all(folder_);
  }
  void Open() {
    journal_.reset();
    auto restore = [this](std::vector<Entry>* entries) {
      entries->insert(entries->end(), live_.begin(), live_.end());
    };
    absl::StatusOr<std::unique_ptr<Journal>> journal = Journal::Open(settings_, restore, 7);
    ASSERT_TRUE(journal.ok()) << journal.status();
    journal_ = *std::move(journal);
  }
  static Entry Make(Step step, uint64_t call, size_t len = 4) {
    return {.step = step,
            .call = call,
            .time_s = 5,
            .record = std::string(step == Step::kAlive ? 0 : len, 'r'),
            .session = step == Step::kStart || step == Step::kAlive ? "session" : "",
            .traffic = {}};
  }
  void Write(std::vector<Entry> entries, const std::vector<int64_t>& done = {}) {
    now_ms_ += 2000;
    journal_->Write(std::move(entries), done, now_ms_, 9);
  }
  // Fill writes Starts until the spool takes no more.
  void Fill() {
    for (uint64_t call = 1; journal_->empty(); ++call) {
      Write({Make(Step::kStart, call, 400)});
    }
  }

  std::string folder_;
  Journal::Settings settings_;
  std::vector<Entry> live_;
  uint64_t now_ms_ = 0;
  std::unique_ptr<Journal> journal_;
};

TEST_F(JournalTest, AFullSpoolGivesUpInterimsAndKeepsTheRestInMemory) {
  settings_.max_octets = 128 << 10;
  Open();
  for (uint64_t call = 10'001; call <= 10'050; ++call) {
    Write({Make(Step::kInterim, call, 400)});
  }
  Fill();
  EXPECT_EQ(journal_->Usage().dropped[static_cast<size_t>(Step::kInterim)], 50u);
  EXPECT_TRUE(journal_->Usage().failing);
  for (uint64_t call = 1; call <= 20; ++call) {
    Write({Make(Step::kStop, 20'000 + call, 2000)});
  }
  const uint64_t waiting = journal_->Usage().num_waiting;
  EXPECT_GE(waiting, 15u);
  EXPECT_EQ(journal_->Usage().dropped[static_cast<size_t>(Step::kStop)], 0u);

  std::vector<int64_t> done;
  for (const StoredRecord& record : journal_->Read(0, 10'000)) {
    done.push_back(record.seq);
  }
  Write({}, done);
  EXPECT_TRUE(journal_->empty()) << "room was made";
  EXPECT_FALSE(journal_->Usage().failing);
  size_t stops = 0;
  for (const StoredRecord& record : journal_->Read(done.back(), 10'000)) {
    stops += record.step == Step::kStop ? 1 : 0;
  }
  EXPECT_GE(stops, 15u);
}

TEST_F(JournalTest, EveryLossIsCounted) {
  settings_.max_octets = 64 << 10;
  settings_.max_waiting_octets = 100'000;
  Open();
  Fill();
  uint64_t starts = 0, stops = 0;
  for (uint64_t call = 1; call <= 500; ++call) {
    Write({Make(Step::kStart, 30'000 + call, 400), Make(Step::kInterim, 30'000 + call, 400)});
    ++starts;
  }
  const JournalUsage usage = journal_->Usage();
  EXPECT_GT(usage.dropped[static_cast<size_t>(Step::kInterim)], 300u);
  EXPECT_GT(usage.dropped[static_cast<size_t>(Step::kStart)], 200u);
  for (uint64_t call = 1; call <= 400; ++call) {
    Write({Make(Step::kStop, 30'000 + call, 400)});
    ++stops;
  }
  EXPECT_GT(journal_->Usage().dropped[static_cast<size_t>(Step::kStop)], 100u);
  // A server takes what there is, over and over.
  uint64_t found = 0;
  for (int i = 0; i < 100 && (i == 0 || !journal_->empty()); ++i) {
    std::vector<int64_t> done;
    for (const StoredRecord& record : journal_->Read(0, 10'000)) {
      done.push_back(record.seq);
      found += record.step == Step::kStop ? 1 : 0;
    }
    Write({}, done);
  }
  ASSERT_TRUE(journal_->empty());
  for (const StoredRecord& record : journal_->Read(0, 10'000)) {
    found += record.step == Step::kStop ? 1 : 0;
  }
  EXPECT_GT(starts, 0u);
  EXPECT_GT(found, 50u);
  EXPECT_EQ(found + journal_->Usage().dropped[static_cast<size_t>(Step::kStop)], stops);
}

TEST_F(JournalTest, TheAlertComesBeforeItIsFull) {
  settings_.max_octets = 256 << 10;
  settings_.alert_percent = 50;
  Open();
  ::testing::internal::CaptureStdout();
  uint64_t call = 0;
  while (journal_->Usage().spool.octets <= (128u << 10)) {
    Write({Make(Step::kStart, ++call, 400)});
  }
  EXPECT_NE(::testing::internal::GetCapturedStdout().find("above the alert level of 50 %"),
            std::string::npos);
  EXPECT_TRUE(journal_->empty());
}

TEST_F(JournalTest, ADamagedFileIsMovedAsideAtTheStart) {
  std::ofstream(settings_.path) << std::string(10'000, 'x');
  Open();
  EXPECT_EQ(journal_->Usage().num_damaged_files, 1u);
  EXPECT_TRUE(std::filesystem::exists(settings_.path + ".damaged-7"));
  Write({Make(Step::kStart, 1)});
  EXPECT_EQ(journal_->Read(0, 10).size(), 1u);
}

TEST_F(JournalTest, DamageWhileInUseIsSurvived) {
  Open();
  std::vector<Entry> entries;
  for (uint64_t call = 1; call <= 20'000; ++call) {  // more than SQLite keeps in memory
    entries.push_back(Make(Step::kStart, call, 4000));
  }
  Write(entries);
  (void)journal_->Usage();
  live_ = {Make(Step::kAlive, 5), Make(Step::kAlive, 6)};
  const int64_t last = journal_->Read(19'000, 1000).back().seq;
  {
    std::fstream file(settings_.path, std::ios::in | std::ios::out | std::ios::binary);
    const std::string noise(4096, '\xa5');
    for (int page = 1; page < 10'000; ++page) {
      file.seekp(page * 4096);
      file << noise;
    }
  }
  for (int i = 0; i < 3; ++i) {
    (void)journal_->Read(0, 20'000);
    Write({Make(Step::kStop, static_cast<uint64_t>(i + 1))});
  }
  EXPECT_EQ(journal_->Usage().num_damaged_files, 1u);
  EXPECT_GE(journal_->Usage().num_damaged_records, 20'000u);
  EXPECT_TRUE(journal_->empty());
  const std::vector<StoredRecord> records = journal_->Read(last, 10);
  ASSERT_GE(records.size(), 2u) << "numbers go on";
  EXPECT_EQ(records.back().call, 3u);
  EXPECT_EQ(journal_->Live().size(), 2u) << "the new file knows who lives";
}

TEST_F(JournalTest, AFolderThatIsNotThereIsAnErrorWithARemedy) {
  settings_.path = folder_ + "/none/spool";
  absl::StatusOr<std::unique_ptr<Journal>> journal = Journal::Open(settings_, {}, 7);
  ASSERT_FALSE(journal.ok());
  EXPECT_NE(journal.status().message().find("accounting.spool"), std::string::npos);
}

}  // namespace
}  // namespace culvert::accounting
