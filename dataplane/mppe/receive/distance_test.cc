#include "dataplane/mppe/receive/distance.h"

#include <gtest/gtest.h>

#include <random>

namespace culvert::dataplane::mppe {
namespace {

// A sender and what gets through: control frames take GRE numbers too, some get through.
class Model {
 public:
  explicit Model(unsigned seed) : random_(seed) {
    constexpr uint32_t kStarts[] = {0, 1, 0xfffffff0};
    sequence_ = kStarts[seed % 3];
    state_.has_sequence = 1;
    state_.last_sequence = sequence_ - 1;
    state_.position = 0;
  }

  // Burst loses `lost` data frames and receives one more; gives whether its place was found.
  bool Burst(uint32_t lost) {
    uint32_t position = 0;
    uint32_t sequence = 0;
    for (uint32_t i = 0; i <= lost; ++i) {
      if (random_() % 50 == 0) {
        ++sequence_;
        state_.num_others += random_() % 4 == 0 ? 1 : 0;
      }
      position = next_position_++;
      sequence = sequence_++;
    }
    ForgeSome();
    uint32_t distance = 0;
    if (FindDistance(state_, sequence, position & 0xfff, &distance) != DropReason::kCount ||
        state_.position + distance != position + 1) {
      return false;
    }
    state_.position = position + 1;
    state_.last_sequence = sequence;
    state_.num_others = 0;
    return true;
  }
  uint32_t Random(uint32_t below) { return random_() % below; }

 private:
  // Forged counts and numbers: an answer never goes beyond the number, and nothing changes.
  void ForgeSome() {
    for (int i = 0; i < 4; ++i) {
      const uint32_t ahead = random_() % 5000;
      const auto count = static_cast<uint16_t>(random_() & 0xfff);
      uint32_t distance = 0;
      if (FindDistance(state_, state_.last_sequence + ahead, count, &distance) ==
          DropReason::kCount) {
        EXPECT_LE(distance, ahead);
        EXPECT_GE(distance, 1u);
        EXPECT_EQ((state_.position + distance - 1) & 0xfff, count);
      }
    }
  }

  std::mt19937 random_;
  MppeState state_{};
  uint32_t sequence_ = 0;
  uint32_t next_position_ = 0;
};

TEST(DistanceTest, SurvivesRandomLosses) {
  constexpr uint32_t kLosses[] = {0,    0,    0,    1,    2,    255,  256,  2047,  2048, 2049,
                                  4094, 4095, 4096, 4097, 5000, 8191, 8192, 12289, 16000};
  for (unsigned seed = 1; seed <= 300; ++seed) {
    Model model(seed);
    for (int burst = 0; burst < 40; ++burst) {
      const uint32_t lost = kLosses[model.Random(std::size(kLosses))];
      ASSERT_TRUE(model.Burst(lost)) << "seed " << seed << ", burst " << burst << ": " << lost;
    }
  }
}

}  // namespace
}  // namespace culvert::dataplane::mppe
