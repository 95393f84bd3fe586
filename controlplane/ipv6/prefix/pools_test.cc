#include "controlplane/ipv6/prefix/pools.h"

#include <gtest/gtest.h>

#include <set>

#include "controlplane/ipv6/test_packets.h"

namespace culvert::ipv6::testing {
namespace {

constexpr uint64_t kRestMs = 30'000;

std::string Text(const std::optional<config::Ipv6Prefix>& prefix) {
  return prefix ? config::FormatPrefix6(*prefix) : "none";
}

TEST(PrefixPoolsTest, InOrderAndEachOnce) {
  PrefixPools pools({{"links", 64, {Prefix("2001:db8:1::/63"), Prefix("2001:db8:2::/63")}},
                     {"homes", 56, {Prefix("2001:db8:f000::/55")}}},
                    kRestMs);
  EXPECT_EQ(Text(pools.Allocate("links", 0)), "2001:db8:1::/64");
  EXPECT_EQ(Text(pools.Allocate("links", 0)), "2001:db8:1:1::/64");
  EXPECT_EQ(Text(pools.Allocate("links", 0)), "2001:db8:2::/64");
  EXPECT_EQ(Text(pools.Allocate("homes", 0)), "2001:db8:f000::/56");
  EXPECT_EQ(Text(pools.Allocate("homes", 0)), "2001:db8:f000:100::/56");
  EXPECT_EQ(Text(pools.Allocate("homes", 0)), "none");
  EXPECT_EQ(Text(pools.Allocate("links", 0)), "2001:db8:2:1::/64");
  EXPECT_EQ(Text(pools.Allocate("links", 0)), "none");
  EXPECT_EQ(Text(pools.Allocate("others", 0)), "none");
  EXPECT_TRUE(pools.Has("homes"));
  EXPECT_FALSE(pools.Has("others"));
  const auto usage = pools.usage();
  ASSERT_EQ(usage.size(), 2u);
  EXPECT_EQ(usage[0].size, 4u);
  EXPECT_EQ(usage[0].in_use, 4u);
  EXPECT_EQ(usage[1].size, 2u);
}

TEST(PrefixPoolsTest, RestAfterUse) {
  PrefixPools pools({{"p", 64, {Prefix("2001:db8::/62")}}}, kRestMs);
  const auto first = pools.Allocate("p", 0);
  const auto second = pools.Allocate("p", 0);
  pools.Release(*first, 1000);
  pools.Release(*first, 1000);  // once is enough
  pools.Release(*second, 2000);
  EXPECT_EQ(pools.usage()[0].in_use, 0u);
  EXPECT_EQ(Text(pools.Allocate("p", 3000)), "2001:db8:0:2::/64");  // fresh ones first
  EXPECT_EQ(Text(pools.Allocate("p", 31'000)), "2001:db8::/64");    // has rested
  EXPECT_EQ(Text(pools.Allocate("p", 31'000)), "2001:db8:0:3::/64");
  EXPECT_EQ(Text(pools.Allocate("p", 31'000)), "2001:db8:0:1::/64");  // nothing else is left
  EXPECT_EQ(Text(pools.Allocate("p", 31'000)), "none");
}

TEST(PrefixPoolsTest, FixedOnesAreNeverGivenTwice) {
  PrefixPools pools({{"p", 64, {Prefix("2001:db8::/62")}}}, kRestMs);
  pools.SetReserved({Prefix("2001:db8::/65"), Prefix("2001:db8::/64")});
  EXPECT_TRUE(pools.AcquireFixed(Prefix("2001:db8::/64")));
  EXPECT_FALSE(pools.AcquireFixed(Prefix("2001:db8::/64")));
  EXPECT_FALSE(pools.AcquireFixed(Prefix("2001:db8::/48")));
  EXPECT_FALSE(pools.AcquireFixed(Prefix("2001:db8::7/128")));
  EXPECT_TRUE(pools.AcquireFixed(Prefix("2001:db8:0:2::/64")));  // RADIUS: not known before
  EXPECT_TRUE(pools.AcquireFixed(Prefix("2001:db8:ffff::/48")));
  EXPECT_EQ(Text(pools.Allocate("p", 0)), "2001:db8:0:1::/64");
  EXPECT_EQ(Text(pools.Allocate("p", 0)), "2001:db8:0:3::/64");
  EXPECT_EQ(Text(pools.Allocate("p", 0)), "none");
  EXPECT_FALSE(pools.AcquireFixed(Prefix("2001:db8:0:1::/64")));
  pools.Release(Prefix("2001:db8:0:2::/64"), 0);
  EXPECT_EQ(Text(pools.Allocate("p", 0)), "2001:db8:0:2::/64");
  pools.Release(Prefix("2001:db8::/64"), 0);
  EXPECT_EQ(Text(pools.Allocate("p", 0)), "none");  // it stays reserved
  EXPECT_TRUE(pools.AcquireFixed(Prefix("2001:db8::/64")));
}

TEST(PrefixPoolsTest, HugePoolsAndReservationsCostNothing) {
  PrefixPools pools({{"p", 64, {Prefix("2001::/16")}}, {"host", 128, {Prefix("2002::/126")}}},
                    kRestMs);
  EXPECT_EQ(pools.usage()[0].size, uint64_t{1} << 48);
  pools.SetReserved({Prefix("2001::/17")});
  EXPECT_EQ(Text(pools.Allocate("p", 0)), "2001:8000::/64");
  std::set<std::string> given;
  for (int i = 0; i < 100'000; ++i) {
    given.insert(Text(pools.Allocate("p", 0)));
  }
  EXPECT_EQ(given.size(), 100'000u);
  EXPECT_EQ(Text(pools.Allocate("host", 0)), "2002::/128");
  EXPECT_EQ(pools.usage()[1].size, 4u);
}

TEST(PrefixPoolsTest, ReturningUserGetsItsPrefix) {
  PrefixPools pools({{"p", 64, {Prefix("2001:db8::/48")}}, {"q", 64, {Prefix("2002::/48")}}},
                    kRestMs, 16, 1);
  const auto mine = pools.Allocate("p", 0, "alice");
  EXPECT_NE(pools.Allocate("p", 0, "alice"), mine) << "a second call of hers";
  pools.Release(*mine, 10);
  const auto other = pools.Allocate("p", 20, "bob");
  EXPECT_NE(other, mine) << "it rests";
  const auto yet = pools.Allocate("p", 30, "carol");
  pools.Release(*yet, 40);
  EXPECT_EQ(pools.Allocate("p", 50, "carol"), yet) << "although it rests";
  pools.Release(*yet, 60);
  EXPECT_EQ(pools.Allocate("p", 60 + 2 * kRestMs, "carol"), yet) << "has rested";
  pools.Release(*yet, 70);
  EXPECT_EQ(Text(pools.Allocate("q", 80, "carol")), "2002::/64") << "each pool has its own memory";
  pools.SetReserved({*yet});
  EXPECT_NE(pools.Allocate("p", 90, "carol"), yet) << "somebody else's by now";
}

TEST(PrefixPoolsTest, ReservationsComeAndGo) {
  PrefixPools pools({{"p", 64, {Prefix("2001:db8::/62")}}}, 0);
  pools.SetReserved({Prefix("2001:db8::/63"), Prefix("2001:db8:0:3::/64")});
  EXPECT_EQ(Text(pools.Allocate("p", 0)), "2001:db8:0:2::/64");
  EXPECT_EQ(Text(pools.Allocate("p", 0)), "none");
  EXPECT_EQ(pools.usage()[0].refused, 1u);
  pools.SetReserved({Prefix("2001:db8:0:1::/64"), Prefix("2001:db8:0:3::/64")});
  EXPECT_EQ(Text(pools.Allocate("p", 0)), "2001:db8::/64") << "half of what was reserved is free";
  EXPECT_EQ(Text(pools.Allocate("p", 0)), "none");
  pools.SetReserved({Prefix("2001:db8::/64")});  // a call has it: it goes on
  EXPECT_EQ(Text(pools.Allocate("p", 0)), "2001:db8:0:1::/64");
  EXPECT_EQ(Text(pools.Allocate("p", 0)), "2001:db8:0:3::/64");
  pools.Release(Prefix("2001:db8::/64"), 0);
  EXPECT_EQ(Text(pools.Allocate("p", 1)), "none") << "it is its user's";
  EXPECT_TRUE(pools.AcquireFixed(Prefix("2001:db8::/64")));
  pools.Release(Prefix("2001:db8::/64"), 1);
  pools.SetReserved({});
  EXPECT_EQ(Text(pools.Allocate("p", 2)), "2001:db8::/64");
}

TEST(PrefixPoolsTest, FixedOnesOfOtherLengthsComeBack) {
  PrefixPools pools({{"p", 64, {Prefix("2001:db8::/62")}}}, 1000);
  EXPECT_TRUE(pools.AcquireFixed(Prefix("2001:db8::/63")));
  EXPECT_TRUE(pools.AcquireFixed(Prefix("2001:db8:0:2::5/128")));
  EXPECT_EQ(Text(pools.Allocate("p", 0)), "2001:db8:0:3::/64");
  EXPECT_EQ(Text(pools.Allocate("p", 0)), "none");
  pools.Release(Prefix("2001:db8:0:2::5/128"), 0);
  EXPECT_EQ(Text(pools.Allocate("p", 0)), "2001:db8:0:2::/64");
  pools.Release(Prefix("2001:db8::/63"), 0);
  EXPECT_EQ(Text(pools.Allocate("p", 0)), "2001:db8::/64");
  EXPECT_EQ(Text(pools.Allocate("p", 0)), "2001:db8:0:1::/64");
  EXPECT_EQ(pools.usage()[0].in_use, 4u);
}

TEST(PrefixPoolsTest, CallsKeepPrefixesThatFellOut) {
  const PrefixPools::Pool both{"p", 64, {Prefix("2001:db8::/63"), Prefix("2001:db8:8::/64")}};
  PrefixPools pools({both, {"q", 64, {Prefix("2002::/64")}}}, 1000, 16);
  const auto first = pools.Allocate("p", 0, "alice");
  const auto second = pools.Allocate("p", 0, "bob");
  const auto third = pools.Allocate("p", 0, "carol");
  const auto fourth = pools.Allocate("q", 0, "dave");
  ASSERT_TRUE(first && second && third && fourth);
  pools.Release(*second, 5);  // rests
  pools.Reconfigure({{"p", 64, {Prefix("2001:db8::/63")}}}, 2000);
  EXPECT_EQ(pools.usage().size(), 1u);
  EXPECT_EQ(pools.usage()[0].in_use, 1u);
  EXPECT_EQ(pools.usage()[0].resting, 1u);
  EXPECT_FALSE(pools.AcquireFixed(*third)) << "carol's call goes on";
  EXPECT_EQ(pools.Allocate("p", 10, "bob"), second) << "bob is remembered";
  pools.Release(*third, 20);
  pools.Release(*fourth, 20);
  EXPECT_EQ(Text(pools.Allocate("p", 5000)), "none") << "carol's is nobody's";
  pools.Reconfigure({both}, 2000);
  EXPECT_EQ(pools.Allocate("p", 6000), third);
  EXPECT_EQ(pools.usage()[0].in_use, 3u);
  pools.Reconfigure({{"p", 56, {Prefix("2001:db8::/48")}}}, 0);
  EXPECT_EQ(pools.usage()[0].in_use, 0u) << "of another length";
  EXPECT_EQ(Text(pools.Allocate("p", 6000)), "2001:db8:0:100::/56") << "not where calls are";
}

}  // namespace
}  // namespace culvert::ipv6::testing
