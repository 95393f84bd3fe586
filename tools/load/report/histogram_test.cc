#include "tools/load/report/histogram.h"

#include <gtest/gtest.h>

namespace culvert::load {
namespace {

TEST(Histogram, IsEmptyAtFirst) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.PercentileMs(0.5), 0);
  EXPECT_EQ(histogram.min_ms(), 0);
}

TEST(Histogram, PercentilesAreRightToThreePercent) {
  Histogram histogram;
  for (uint64_t us = 1; us <= 1'000'000; us += 7) {
    histogram.Add(us);
  }
  for (const double share : {0.01, 0.1, 0.5, 0.9, 0.99, 0.999}) {
    EXPECT_NEAR(histogram.PercentileMs(share), share * 1000, share * 30) << share;
  }
  EXPECT_EQ(histogram.min_ms(), 0.001);
  EXPECT_NEAR(histogram.max_ms(), 1000, 0.01);
}

// A million packets a second for two hours.
TEST(Histogram, CountsBeyondThirtyTwoBits) {
  Histogram histogram;
  histogram.Add(10, 7'200'000'000);
  histogram.Add(20, 100);
  EXPECT_EQ(histogram.count(), 7'200'000'100u);
  EXPECT_EQ(histogram.PercentileMs(0.99), 0.01);
  EXPECT_EQ(histogram.max_ms(), 0.02);
}

TEST(Histogram, TakesAnything) {
  Histogram histogram;
  for (const uint64_t us : {uint64_t{0}, uint64_t{31}, uint64_t{32}, UINT64_MAX}) {
    histogram.Add(us);
  }
  EXPECT_EQ(histogram.count(), 4u);
  EXPECT_EQ(histogram.PercentileMs(0.25), 0.031);
  EXPECT_EQ(histogram.PercentileMs(0), 0);
}

}  // namespace
}  // namespace culvert::load
