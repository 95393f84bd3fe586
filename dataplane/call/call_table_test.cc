#include "dataplane/call/call_table.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string>

namespace culvert::dataplane {
namespace {

// Of this process, huge pages too, in octets.
uint64_t Resident() {
  std::ifstream status("/proc/self/status");
  std::string word;
  uint64_t kb = 0;
  while (status >> word) {
    if (word == "VmRSS:" || word == "HugetlbPages:") {
      uint64_t value = 0;
      status >> value;
      kb += value;
    }
  }
  return kb << 10;
}

constexpr uint64_t kSlotLen = kCallRowLen * kCallsPerAddress;

TEST(CallTableTest, SlotsHaveMemoryWhileTheyHaveCalls) {
  const auto table = *CallTable::Create(16);
  const uint64_t before = Resident();
  EXPECT_EQ(table->At(CallTable::Index(15, 65535)).generation, 0U);
  ASSERT_TRUE(table->Allocate(3).ok());
  ASSERT_TRUE(table->Allocate(3).ok());
  EXPECT_GE(Resident(), before + kSlotLen);
  table->At(CallTable::Index(3, 1)).generation = 7;
  table->At(CallTable::Index(3, 65535)).generation = 8;
  EXPECT_EQ(table->At(CallTable::Index(2, 65535)).generation, 0U);
  EXPECT_EQ(table->At(CallTable::Index(4, 0)).generation, 0U);
  table->Release(3);
  EXPECT_LT(Resident(), before + kSlotLen / 8);
  EXPECT_EQ(table->At(CallTable::Index(3, 1)).generation, 0U);
  ASSERT_TRUE(table->Allocate(3).ok());
  EXPECT_EQ(table->At(CallTable::Index(3, 65535)).generation, 0U);
}

TEST(CallTableTest, SaysThatThereIsNoMemory) {
  const auto table = *CallTable::Create(2);
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto old_handler = signal(SIGXFSZ, SIG_IGN);
  const rlimit small{1 << 20, old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status status = table->Allocate(1);
  setrlimit(RLIMIT_FSIZE, &old);
  signal(SIGXFSZ, old_handler);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_NE(status.message().find("memory"), absl::string_view::npos) << status;
  EXPECT_FALSE(table->allocated(1));
  EXPECT_EQ(table->At(CallTable::Index(1, 5)).generation, 0U);
  EXPECT_TRUE(table->Allocate(1).ok());
}

TEST(CallTableTest, TakesOneToSixteenAddresses) {
  EXPECT_FALSE(CallTable::Create(0).ok());
  EXPECT_FALSE(CallTable::Create(17).ok());
}

}  // namespace
}  // namespace culvert::dataplane
