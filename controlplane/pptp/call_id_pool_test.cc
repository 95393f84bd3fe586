#include "controlplane/pptp/call_id_pool.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace culvert::pptp {
namespace {

CallIdPool::Below Seeded() {
  return [engine = std::mt19937(1)](uint32_t bound) mutable { return engine() % bound; };
}

TEST(CallIdPool, GivesEveryIdOnceAndNeverZero) {
  CallIdPool pool(0, 1, 1000, Seeded());
  std::set<uint16_t> seen;
  for (int i = 0; i < 65535; ++i) {
    uint16_t id = pool.Allocate(0);
    ASSERT_NE(id, 0);
    ASSERT_TRUE(seen.insert(id).second);
  }
  EXPECT_EQ(pool.Allocate(0), 0);
}

TEST(CallIdPool, IdsRest) {
  CallIdPool pool(0, 1, 1000, Seeded());
  while (pool.Allocate(0) != 0) {
  }
  pool.Release(77, 5000);
  EXPECT_EQ(pool.Allocate(5999), 0);
  EXPECT_EQ(pool.Allocate(6000), 77);
  pool.ReleaseUnused(78);
  EXPECT_EQ(pool.Allocate(6000), 78);
}

TEST(CallIdPool, IsNotSequential) {
  CallIdPool pool(0, 1, 0, Seeded());
  int steps = 0;
  uint16_t last = pool.Allocate(0);
  for (int i = 0; i < 1000; ++i) {
    uint16_t id = pool.Allocate(0);
    steps += id == last + 1 ? 1 : 0;
    last = id;
  }
  EXPECT_LT(steps, 10);
}

TEST(CallIdPool, ShardsShareNoId) {
  for (uint32_t shard = 0; shard < 3; ++shard) {
    CallIdPool pool(shard, 3, 0, Seeded());
    int num = 0;
    while (uint16_t id = pool.Allocate(0)) {
      ASSERT_EQ(id % 3, shard);
      ++num;
    }
    EXPECT_EQ(num, 21845);
  }
}

}  // namespace
}  // namespace culvert::pptp
