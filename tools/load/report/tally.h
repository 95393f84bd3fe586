// Tally: what a run has come to so far. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "tools/load/report/histogram.h"

namespace culvert::load {

// Stage of a call. Those before kUp are timed.
enum class Stage : uint8_t {
  kIdle,
  kConnect,  // TCP
  kStart,    // Start-Control-Connection
  kRequest,  // Outgoing-Call
  kLink,     // LCP
  kAuthentication,
  kNetwork,  // IPCP, CCP
  kUp,
  kEnding,
  kOver,
};
constexpr size_t kNumStages = static_cast<size_t>(Stage::kOver) + 1;
[[nodiscard]] const char* StageName(Stage stage);

struct Tally {
  uint64_t last_up_us = 0;  // when a call came up
  uint64_t asked = 0, established = 0, failed = 0, ended_early = 0;
  std::array<uint32_t, kNumStages> calls{};  // at present
  Histogram setup;
  std::array<Histogram, kNumStages> stages;  // how long each took

  uint64_t up_packets = 0, up_octets = 0;      // sent
  uint64_t down_packets = 0, down_octets = 0;  // received, once each
  uint64_t down_late = 0, down_duplicated = 0, down_corrupted = 0;
  uint64_t gre_late = 0, gre_duplicated = 0, gre_strange = 0;
  uint64_t unsent = 0;
  Histogram round_trip, second_round_trip;  // the latter of the second at hand

  using Reasons = std::map<std::pair<Stage, std::string>, uint64_t>;
  Reasons failures, disconnects;

  void Fail(Stage stage, std::string_view reason) {
    ++failed;
    Count(&failures, stage, reason);
  }
  void Disconnect(std::string_view reason) {
    ++ended_early;
    Count(&disconnects, Stage::kUp, reason);
  }

 private:
  // Count: what a server makes up is bounded.
  static void Count(Reasons* reasons, Stage stage, std::string_view reason) {
    constexpr size_t kMaxReasons = 200;
    const auto key = std::pair(stage, std::string(reason));
    if (reasons->size() >= kMaxReasons && !reasons->contains(key)) {
      ++(*reasons)[{stage, "other reasons"}];
    } else {
      ++(*reasons)[key];
    }
  }
};

}  // namespace culvert::load
