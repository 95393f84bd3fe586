#include "dataplane/service/counter_news.h"

#include <gtest/gtest.h>

namespace culvert::dataplane {
namespace {

TEST(CounterNews, IdleCallsAreToldTwiceAndThenWhenTheyMove) {
  CounterNews news;
  CallTotals totals{.upstream_packets = 5};
  const auto round = [&] {
    const bool told = news.IsNews(1, totals);
    news.EndRound();
    return told;
  };
  EXPECT_TRUE(round()) << "never told";
  EXPECT_TRUE(round()) << "its rate has fallen to nothing";
  EXPECT_FALSE(round());
  EXPECT_FALSE(round());
  totals.downstream_drops = 1;
  EXPECT_TRUE(round());
  totals.upstream_octets = 60;
  EXPECT_TRUE(round());
  EXPECT_TRUE(round());
  EXPECT_FALSE(round());
}

TEST(CounterNews, HandlesThatHaveGoneAreForgotten) {
  CounterNews news;
  for (int i = 0; i < 3; ++i) {
    (void)news.IsNews(1, {});
    (void)news.IsNews(2, {});
    news.EndRound();
  }
  EXPECT_FALSE(news.IsNews(1, {}));
  news.EndRound();  // 2 has gone
  EXPECT_FALSE(news.IsNews(1, {}));
  EXPECT_TRUE(news.IsNews(2, {})) << "another call";
}

}  // namespace
}  // namespace culvert::dataplane
