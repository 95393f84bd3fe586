#include "controlplane/radius/rate_limit.h"

#include <gtest/gtest.h>

namespace culvert::radius {
namespace {

void ExpectRates(std::string_view text, uint64_t upstream_bps, uint64_t downstream_bps) {
  const auto rates = ParseRateLimit(text);
  ASSERT_TRUE(rates.has_value()) << text;
  EXPECT_EQ(rates->upstream_bps, upstream_bps) << text;
  EXPECT_EQ(rates->downstream_bps, downstream_bps) << text;
}

TEST(RateLimit, RxIsWhatTheClientSends) {
  ExpectRates("2M/10M", 2'000'000, 10'000'000);
  ExpectRates("512k", 512'000, 512'000);
  ExpectRates("64000/128000", 64'000, 128'000);
  ExpectRates("1G/0", 1'000'000'000, 0);
  ExpectRates("0/0", 0, 0);
}

TEST(RateLimit, BurstsPriorityAndMinimumAreAllowed) {
  ExpectRates("2M/10M 3M/12M 1M/8M 10/20 5 64k/64k", 2'000'000, 10'000'000);
  ExpectRates("2M/10M 3M", 2'000'000, 10'000'000);
  ExpectRates("128k/256k 0/0 0/0 0/0 8", 128'000, 256'000);
}

TEST(RateLimit, OtherTextIsRefused) {
  for (const char* text :
       {"", " ", "fast", "2M/", "/2M", "2M/3M/4M", "-1", "2X", "M", "1.5M",
        "2M/10M 1M/1M 1M/1M 1k/1k", "2M/10M 1 1 1 8 1 1", "1001G", "99999999999999999999999"}) {
    EXPECT_FALSE(ParseRateLimit(text).has_value()) << text;
  }
  EXPECT_TRUE(ParseRateLimit("1000G").has_value());
}

}  // namespace
}  // namespace culvert::radius
