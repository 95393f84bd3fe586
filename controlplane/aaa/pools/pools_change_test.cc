#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "controlplane/aaa/pools/address_pools.h"

namespace culvert {
namespace {

constexpr uint32_t kBase = 0x0a4d0000;  // 10.77.0.0

AddressPools::Below Seeded() {
  return [engine = std::mt19937(1)](uint32_t bound) mutable { return engine() % bound; };
}
config::Ipv4Range Span(uint32_t first, uint32_t last) {
  return {.first = kBase + first, .last = kBase + last};
}
AddressPools::Pool Named(std::string name, std::vector<config::Ipv4Range> ranges,
                         std::string next = "", bool named_only = false) {
  return {.name = std::move(name),
          .ranges = std::move(ranges),
          .next = std::move(next),
          .named_only = named_only};
}

TEST(AddressPools, CallsByNameGetThatPoolAndItsChain) {
  AddressPools pools({Named("all", {Span(0, 0)}), Named("vip", {Span(10, 10)}, "spare", true),
                      Named("spare", {Span(20, 20), Span(30, 30)}, "vip", true)},
                     0, Seeded());
  EXPECT_EQ(pools.Allocate(0, {.pool = "vip"}), kBase + 10);
  EXPECT_EQ(pools.Allocate(0, {.pool = "vip"}), kBase + 20);
  EXPECT_EQ(pools.Allocate(0), kBase);
  EXPECT_EQ(pools.Allocate(0), std::nullopt) << "30 is for those who name the pool";
  EXPECT_EQ(pools.Allocate(0, {.pool = "spare"}), kBase + 30);
  EXPECT_EQ(pools.Allocate(0, {.pool = "spare"}), std::nullopt) << "a ring of pools has an end";
  EXPECT_EQ(pools.Allocate(0, {.pool = "nowhere"}), std::nullopt);
  EXPECT_TRUE(pools.HasPool("spare"));
  EXPECT_FALSE(pools.HasPool("nowhere"));
  EXPECT_EQ(pools.usage()[0].refused, 1u);
  EXPECT_EQ(pools.usage()[1].refused, 1u) << "the last of the chain from spare";
}

TEST(AddressPools, DefaultCallsFollowNextIntoNamedPools) {
  AddressPools pools({Named("all", {Span(0, 0)}, "spare"), Named("spare", {Span(1, 1)}, "", true)},
                     0, Seeded());
  EXPECT_EQ(pools.Allocate(0), kBase);
  EXPECT_EQ(pools.Allocate(0), kBase + 1);
}

TEST(AddressPools, WishRestrictsTheAddresses) {
  AddressPools pools({Named("all", {Span(0, 99)})}, 1000, Seeded());
  const std::vector<config::Ipv4Range> allowed = {Span(7, 7), Span(95, 120)};
  std::set<uint32_t> seen;
  for (int i = 0; i < 6; ++i) {
    seen.insert(pools.Allocate(0, {.allowed = &allowed}).value());
  }
  EXPECT_THAT(seen, ::testing::ElementsAre(kBase + 7, kBase + 95, kBase + 96, kBase + 97,
                                           kBase + 98, kBase + 99));
  EXPECT_EQ(pools.Allocate(0, {.allowed = &allowed}), std::nullopt);
  pools.Release(kBase + 96, 1);
  EXPECT_EQ(pools.Allocate(2, {.allowed = &allowed}), kBase + 96) << "out of its rest";
  const std::vector<config::Ipv4Range> none;
  EXPECT_EQ(pools.Allocate(0, {.allowed = &none}), std::nullopt);
}

TEST(AddressPools, ReturningUserGetsItsAddress) {
  AddressPools pools({Named("a", {Span(0, 9999)}), Named("b", {Span(20000, 29999)})}, 1000,
                     Seeded(), 16);
  const uint32_t mine = pools.Allocate(0, {.user = "alice"}).value();
  EXPECT_NE(pools.Allocate(0, {.user = "alice"}), mine) << "a second call of hers";
  pools.Release(mine, 10);
  const uint32_t last = pools.Allocate(20, {.user = "bob"}).value();
  EXPECT_NE(last, mine);
  pools.Release(last, 30);
  EXPECT_EQ(pools.Allocate(40, {.user = "bob"}), last) << "although it rests";
  pools.Release(last, 50);
  EXPECT_EQ(pools.Allocate(5000, {.user = "bob"}), last) << "has rested";
  pools.Release(last, 5000);
  EXPECT_GE(pools.Allocate(5001, {.user = "bob", .pool = "b"}).value(), kBase + 20000);
}

TEST(AddressPools, FixedAddressFromAnAnswerIsNeverShared) {
  AddressPools pools({Named("a", {Span(0, 1)})}, 1000, Seeded());
  EXPECT_TRUE(pools.AcquireFixed(kBase));  // of a pool, not reserved: as RADIUS may send it
  EXPECT_FALSE(pools.AcquireFixed(kBase));
  EXPECT_EQ(pools.Allocate(0), kBase + 1);
  EXPECT_FALSE(pools.AcquireFixed(kBase + 1));
  EXPECT_EQ(pools.Allocate(0), std::nullopt);
  pools.Release(kBase, 0);
  EXPECT_TRUE(pools.AcquireFixed(kBase)) << "who names it need not let it rest";
  pools.Release(kBase, 0);
  EXPECT_EQ(pools.Allocate(2000), kBase);
}

TEST(AddressPools, OurOwnAddressIsNobodys) {
  AddressPools pools({Named("a", {Span(0, 1)})}, 0, Seeded());
  pools.Reserve(kBase);
  EXPECT_TRUE(pools.AcquireFixed(kBase)) << "by us, for good";
  EXPECT_FALSE(pools.AcquireFixed(kBase)) << "by a call that a RADIUS server gives it to";
  EXPECT_EQ(pools.Allocate(0), kBase + 1);
  EXPECT_EQ(pools.Allocate(0), std::nullopt);
}

TEST(AddressPools, ReservationsChangeUnderCalls) {
  AddressPools pools({Named("a", {Span(0, 1)})}, 0, Seeded());
  const uint32_t held = pools.Allocate(0).value();
  pools.Reserve(held);
  EXPECT_FALSE(pools.AcquireFixed(held)) << "the call that has it keeps it";
  pools.Release(held, 0);
  EXPECT_TRUE(pools.AcquireFixed(held));
  pools.Unreserve(held);
  EXPECT_EQ(pools.usage()[0].size, 2u);
  EXPECT_EQ(pools.usage()[0].in_use, 1u);
  EXPECT_NE(pools.Allocate(0), held);
  pools.Release(held, 0);
  EXPECT_EQ(pools.Allocate(1), held);
  pools.Release(held, 1);
  pools.Reserve(held);  // while it rests
  EXPECT_EQ(pools.Allocate(5), std::nullopt);
  EXPECT_TRUE(pools.AcquireFixed(held));
}

TEST(AddressPools, CallsKeepAddressesThatFellOut) {
  AddressPools pools({Named("a", {Span(0, 99)})}, 1000, Seeded());
  std::vector<uint32_t> held;
  for (int i = 0; i < 100; ++i) {
    held.push_back(pools.Allocate(0).value());
  }
  pools.Release(kBase + 3, 0);   // rests, in what stays
  pools.Release(kBase + 77, 0);  // rests, in what goes
  pools.Reserve(kBase + 5);
  pools.Reconfigure({Named("small", {Span(0, 9)}), Named("new", {Span(200, 200)})}, 1000);
  EXPECT_EQ(pools.usage()[0].size, 9u);
  EXPECT_EQ(pools.usage()[0].in_use, 8u);
  EXPECT_EQ(pools.usage()[0].resting, 1u);
  EXPECT_EQ(pools.Allocate(1), kBase + 200);
  EXPECT_EQ(pools.Allocate(1), kBase + 3);
  EXPECT_EQ(pools.Allocate(1), std::nullopt);
  pools.Release(kBase + 50, 1);  // an orphan: nobody's
  EXPECT_EQ(pools.Allocate(5000), std::nullopt);
  EXPECT_FALSE(pools.AcquireFixed(kBase + 51)) << "an orphan that is in use";
  EXPECT_TRUE(pools.AcquireFixed(kBase + 77));
  pools.Release(kBase + 77, 1);
  pools.Reconfigure({Named("a", {Span(0, 99)})}, 1000);
  EXPECT_EQ(pools.usage()[0].in_use, 97u);
  std::set<uint32_t> free = {pools.Allocate(9000).value(), pools.Allocate(9000).value()};
  EXPECT_THAT(free, ::testing::ElementsAre(kBase + 50, kBase + 77));
  EXPECT_EQ(pools.Allocate(9000), std::nullopt);
}

TEST(AddressPools, RedialsAtAnEmptyPoolLeaveNothingBehind) {
  AddressPools pools({Named("a", {Span(0, 1)})}, 1000000, Seeded());
  uint32_t address = pools.Allocate(0).value();
  EXPECT_TRUE(pools.Allocate(0).has_value());
  for (uint64_t now = 1; now < 20000; ++now) {  // more than are looked at in one search
    pools.Release(address, now);
    ASSERT_EQ(pools.Allocate(now), address);
  }
}

}  // namespace
}  // namespace culvert
