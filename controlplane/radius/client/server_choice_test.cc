#include "controlplane/radius/client/server_choice.h"

#include <gtest/gtest.h>

#include <map>

namespace culvert::radius {
namespace {

ServerSettings Server(uint32_t priority, uint32_t weight, Recovery recovery,
                      uint64_t dead_time_ms = 1000) {
  ServerSettings settings;
  settings.priority = priority;
  settings.weight = weight;
  settings.recovery = recovery;
  settings.dead_time_ms = dead_time_ms;
  return settings;
}

const std::vector<bool> kNone(3, false);

TEST(ServerChoice, LowestPriorityFirstThenTheUntried) {
  ServerChoice choice({Server(2, 1, Recovery::kRequest), Server(1, 1, Recovery::kRequest),
                       Server(3, 1, Recovery::kRequest)});
  EXPECT_EQ(choice.Choose({false, false, false}, 0), 1u);
  EXPECT_EQ(choice.Choose({false, true, false}, 0), 0u);
  EXPECT_EQ(choice.Choose({true, true, false}, 0), 2u);
  EXPECT_EQ(choice.Choose({true, true, true}, 0), std::nullopt);
}

TEST(ServerChoice, SharesByWeight) {
  ServerChoice choice({Server(1, 5, Recovery::kRequest), Server(1, 2, Recovery::kRequest),
                       Server(1, 1, Recovery::kRequest)});
  std::map<size_t, int> taken;
  size_t longest_run = 0, run = 0, last = 9;
  for (int i = 0; i < 80; ++i) {
    const size_t server = *choice.Choose(kNone, 0);
    run = server == last ? run + 1 : 1;
    last = server;
    longest_run = std::max(longest_run, run);
    ++taken[server];
  }
  EXPECT_EQ(taken[0], 50);
  EXPECT_EQ(taken[1], 20);
  EXPECT_EQ(taken[2], 10);
  EXPECT_LE(longest_run, 3u) << "smoothly, not in blocks";
}

TEST(ServerChoice, ASilentServerIsDeadUnlessItAnsweredOthers) {
  ServerChoice choice({Server(1, 1, Recovery::kRequest), Server(2, 1, Recovery::kRequest)});
  choice.OnReply(0, 5000);
  EXPECT_FALSE(choice.OnSilence(0, 4000, 9000)) << "it answered meanwhile";
  EXPECT_TRUE(choice.IsUp(0));
  EXPECT_TRUE(choice.OnSilence(0, 6000, 9500));
  EXPECT_FALSE(choice.OnSilence(0, 6000, 9600)) << "known already";
  EXPECT_FALSE(choice.IsUp(0));
  EXPECT_EQ(choice.Choose({false, false}, 9700), 1u);
  EXPECT_TRUE(choice.IsAnyUp({false, false}));
  EXPECT_FALSE(choice.IsAnyUp({false, true}));
}

TEST(ServerChoice, WhenAllAreDeadTheLongestDeadIsTriedFirst) {
  ServerChoice choice({Server(1, 1, Recovery::kStatusServer), Server(2, 1, Recovery::kStatusServer),
                       Server(3, 1, Recovery::kStatusServer)});
  choice.OnSilence(1, 0, 100);
  choice.OnSilence(2, 0, 200);
  choice.OnSilence(0, 0, 300);
  EXPECT_EQ(choice.Choose({false, false, false}, 400), 1u);
  EXPECT_EQ(choice.Choose({false, true, false}, 400), 2u);
  EXPECT_EQ(choice.Choose({false, true, true}, 400), 0u);
}

TEST(ServerChoice, OneRequestTriesADeadServerAfterItsRest) {
  ServerChoice choice({Server(1, 1, Recovery::kRequest), Server(2, 1, Recovery::kRequest)});
  choice.OnSilence(0, 0, 100);
  EXPECT_EQ(choice.Choose({false, false}, 1099), 1u);
  EXPECT_EQ(choice.Choose({false, false}, 1100), 0u) << "the trial";
  EXPECT_EQ(choice.Choose({false, false}, 1101), 1u) << "only one";
  EXPECT_FALSE(choice.OnSilence(0, 1100, 7000));
  EXPECT_EQ(choice.Choose({false, false}, 7999), 1u) << "dead again";
  EXPECT_EQ(choice.Choose({false, false}, 8000), 0u);
  EXPECT_TRUE(choice.OnReply(0, 8001));
  EXPECT_EQ(choice.Choose({false, false}, 8002), 0u);
  EXPECT_EQ(choice.NextProbe(), std::nullopt);
}

TEST(ServerChoice, DeadServersAreProbedOncePerDeadTime) {
  ServerChoice choice({Server(1, 1, Recovery::kStatusServer), Server(2, 1, Recovery::kRequest)});
  EXPECT_EQ(choice.NextProbe(), std::nullopt);
  choice.OnSilence(0, 0, 100);
  choice.OnSilence(1, 0, 100);
  EXPECT_EQ(choice.NextProbe(), 1100u);
  EXPECT_EQ(choice.TakeProbe(1099), std::nullopt);
  EXPECT_EQ(choice.TakeProbe(1100), 0u);
  EXPECT_EQ(choice.TakeProbe(1100), std::nullopt);
  EXPECT_EQ(choice.NextProbe(), 2100u);
  EXPECT_TRUE(choice.OnReply(0, 1500));
  EXPECT_EQ(choice.NextProbe(), std::nullopt);
}

}  // namespace
}  // namespace culvert::radius
