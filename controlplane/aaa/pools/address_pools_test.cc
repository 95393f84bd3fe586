#include "controlplane/aaa/pools/address_pools.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace culvert {
namespace {

constexpr uint32_t kBase = 0x0a4d0000;  // 10.77.0.0

AddressPools::Below Seeded() {
  return [engine = std::mt19937(1)](uint32_t bound) mutable { return engine() % bound; };
}

TEST(AddressPools, GivesEveryAddressOnce) {
  for (uint32_t size : {1u, 2u, 63u, 64u, 65u, 4096u, 4097u, 20000u}) {
    AddressPools pools({{.name = "a", .ranges = {{.first = kBase, .last = kBase + size - 1}}}},
                       1000, Seeded());
    std::set<uint32_t> seen;
    for (uint32_t i = 0; i < size; ++i) {
      std::optional<uint32_t> address = pools.Allocate(0);
      ASSERT_TRUE(address.has_value()) << i << " of " << size;
      ASSERT_GE(*address, kBase);
      ASSERT_LT(*address, kBase + size);
      ASSERT_TRUE(seen.insert(*address).second);
    }
    EXPECT_EQ(pools.Allocate(0), std::nullopt);
    EXPECT_EQ(pools.usage()[0].in_use, size);
  }
}

TEST(AddressPools, AddressesRestUnlessNothingElseIsLeft) {
  AddressPools pools({{.name = "a", .ranges = {{.first = kBase, .last = kBase + 2}}}}, 1000,
                     Seeded());
  uint32_t first = *pools.Allocate(0);
  uint32_t second = *pools.Allocate(0);
  uint32_t third = *pools.Allocate(0);
  pools.Release(first, 100);
  pools.Release(second, 200);
  EXPECT_EQ(pools.usage()[0].in_use, 1u);
  EXPECT_EQ(pools.Allocate(300), first) << "the one that has rested longest";
  pools.Release(third, 300);
  EXPECT_EQ(pools.Allocate(1250), second) << "rested";
}

TEST(AddressPools, RestingAddressComesLast) {
  AddressPools pools({{.name = "a", .ranges = {{.first = kBase, .last = kBase + 99}}}}, 1000,
                     Seeded());
  uint32_t rested = *pools.Allocate(0);
  pools.Release(rested, 0);
  for (int i = 0; i < 99; ++i) {
    ASSERT_NE(pools.Allocate(10), rested);
  }
  EXPECT_EQ(pools.Allocate(10), rested);
  EXPECT_EQ(pools.Allocate(10), std::nullopt);
}

TEST(AddressPools, ReservedAddressesAreNeverAllocated) {
  AddressPools pools({{.name = "a", .ranges = {{.first = kBase, .last = kBase + 3}}}}, 0, Seeded());
  pools.Reserve(kBase + 1);
  pools.Reserve(kBase + 1);
  pools.Reserve(0x01020304);  // outside of every pool
  EXPECT_EQ(pools.usage()[0].size, 3u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(pools.Allocate(0), kBase + 1);
  }
  EXPECT_EQ(pools.Allocate(0), std::nullopt);
  for (uint32_t fixed : {kBase + 1, 0x01020304u}) {
    EXPECT_TRUE(pools.AcquireFixed(fixed));
    EXPECT_FALSE(pools.AcquireFixed(fixed));
    pools.Release(fixed, 0);
    EXPECT_TRUE(pools.AcquireFixed(fixed));
  }
  EXPECT_EQ(pools.Allocate(0), std::nullopt) << "a fixed one that was released went to the pool";
}

TEST(AddressPools, PoolsAreUsedInOrder) {
  AddressPools pools({{.name = "a", .ranges = {{.first = kBase, .last = kBase}}},
                      {.name = "b",
                       .ranges = {{.first = kBase + 10, .last = kBase + 10},
                                  {.first = kBase + 20, .last = kBase + 20}}}},
                     0, Seeded());
  EXPECT_EQ(pools.Allocate(0), kBase);
  EXPECT_EQ(pools.Allocate(0), kBase + 10);
  EXPECT_EQ(pools.Allocate(0), kBase + 20);
  EXPECT_EQ(pools.usage()[0].in_use, 1u);
  EXPECT_EQ(pools.usage()[1].in_use, 2u);
  EXPECT_EQ(pools.usage()[1].name, "b");
}

TEST(AddressPools, HugePoolIsCheap) {
  AddressPools pools({{.name = "a", .ranges = {{.first = 0x0a000000, .last = 0x0affffff}}}}, 0,
                     Seeded());
  std::set<uint32_t> seen;
  for (int i = 0; i < 50000; ++i) {
    ASSERT_TRUE(seen.insert(pools.Allocate(0).value()).second);
  }
  for (uint32_t address : seen) {
    pools.Release(address, 1);
  }
  EXPECT_EQ(pools.usage()[0].in_use, 0u);
}

}  // namespace
}  // namespace culvert
