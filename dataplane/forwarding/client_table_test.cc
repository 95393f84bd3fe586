#include "dataplane/forwarding/client_table.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

namespace culvert::dataplane {
namespace {

uint64_t ResidentOctets() {
  std::ifstream statm("/proc/self/statm");
  uint64_t size = 0;
  uint64_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<uint64_t>(getpagesize());
}

TEST(ClientTableTest, GivesWhatWasSet) {
  const auto table = *ClientTable::Create();
  EXPECT_EQ(table->Find(0), ClientTable::kNone);
  EXPECT_EQ(table->Find(UINT32_MAX), ClientTable::kNone);
  for (const uint32_t address : {0U, 1U, 0x0a4d0001U, 0x0a4fffffU, 0x0a500000U, UINT32_MAX}) {
    ASSERT_TRUE(table->Set(address, address ^ 0x12345).ok());
    EXPECT_EQ(table->Find(address), address ^ 0x12345);
  }
  table->Erase(0x0a4d0001);
  EXPECT_EQ(table->Find(0x0a4d0001), ClientTable::kNone);
  table->Erase(0x0a4d0001);
  EXPECT_EQ(table->Find(0x0a4fffff), 0x0a4fffffU ^ 0x12345);
}

TEST(ClientTableTest, FirstWalksInOrder) {
  const auto table = *ClientTable::Create();
  for (const uint32_t address : {0U, 0x0a4d0001U, 0x0a500000U, UINT32_MAX}) {
    ASSERT_TRUE(table->Set(address, 1).ok());
  }
  uint32_t address = 7;
  EXPECT_TRUE(table->First(0, UINT32_MAX, &address));
  EXPECT_EQ(address, 0U);
  EXPECT_TRUE(table->First(1, UINT32_MAX, &address));
  EXPECT_EQ(address, 0x0a4d0001U);
  EXPECT_TRUE(table->First(0x0a4d0002, 0x0a500000, &address));
  EXPECT_EQ(address, 0x0a500000U);
  EXPECT_FALSE(table->First(0x0a4d0002, 0x0a4fffff, &address));
  EXPECT_TRUE(table->First(0x0a500001, UINT32_MAX, &address));
  EXPECT_EQ(address, UINT32_MAX);
}

// A million calls cost 4 octets each; asking for sixteen million addresses costs no more than page
// table entries, which are not resident memory; and all of it goes back.
TEST(ClientTableTest, MemoryComesAndGoesWithTheCalls) {
  const auto table = *ClientTable::Create();
  constexpr uint32_t kFirst = 0x0a000000;
  constexpr uint32_t kNum = 1000000;
  const uint64_t before = ResidentOctets();
  uint32_t found = 0;
  for (uint32_t i = 0; i < 1 << 24; i += 512) {
    found += table->Find(kFirst + i) != ClientTable::kNone ? 1 : 0;
  }
  EXPECT_EQ(found, 0U);
  EXPECT_LT(ResidentOctets(), before + (1 << 20));
  for (uint32_t i = 0; i < kNum; ++i) {
    ASSERT_TRUE(table->Set(kFirst + i, i).ok());
  }
  const uint64_t full = ResidentOctets();
  EXPECT_GE(full, before + 4 * kNum);
  EXPECT_LT(full, before + 5 * kNum);
  for (uint32_t i = 0; i < kNum; ++i) {
    table->Erase(kFirst + i);
  }
  EXPECT_LT(ResidentOctets(), before + (1 << 20));
}

TEST(ClientTableTest, IsReadWhileItChanges) {
  const auto table = *ClientTable::Create();
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> wrong{0};
  std::atomic<uint64_t> found{0};
  std::thread reader([&] {
    while (!stop) {
      for (const uint32_t address : {0x0a000001U, 0x0b000001U}) {
        const uint32_t index = table->Find(address);
        wrong += index != ClientTable::kNone && index != address >> 24 ? 1 : 0;
        found += index != ClientTable::kNone ? 1 : 0;
      }
      std::this_thread::yield();
    }
  });
  for (int i = 0; i < 20000 || found == 0; ++i) {
    ASSERT_TRUE(table->Set(0x0a000001, 0x0a).ok());
    ASSERT_TRUE(table->Set(0x0b000001, 0x0b).ok());
    table->Erase(0x0a000001);
    table->Erase(0x0b000001);
  }
  stop = true;
  reader.join();
  EXPECT_EQ(wrong, 0U);
}

}  // namespace
}  // namespace culvert::dataplane
