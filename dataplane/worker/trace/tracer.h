// Tracer: which steps the next packets of one call go through on one worker. Off it costs a branch
// a burst; on, every packet takes the slow way through the steps until enough have been seen.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "dataplane/packet/packet.h"
#include "dataplane/packet/verdict.h"

namespace culvert::dataplane {

class Tracer {
 public:
  static constexpr unsigned kMaxSteps = 48;
  struct Step {
    Stage stage{};
    uint8_t index = 0;  // of the step in its stage
    Verdict verdict;
  };
  struct Record {
    uint64_t tsc = 0;  // when the first step was done
    uint64_t handle = 0;
    uint32_t len = 0;
    bool downstream = false;
    unsigned num_steps = 0;
    Step steps[kMaxSteps];
  };

  Tracer() : pending_(kNumPending), done_(kNumDone) {}

  // The worker's. Begin forgets the trace before; `count` 0 ends it.
  void Begin(uint64_t handle, uint32_t count);
  [[nodiscard]] bool active() const { return remaining_ > 0; }
  // See notes a step and, when the verdict ends the packet's way, the packet if it is the call's.
  void See(Packet& packet, Stage stage, unsigned index, Verdict verdict, uint64_t now_tsc);

  // Take gives the records of the trace, oldest first. One consumer.
  std::optional<Record> Take();

 private:
  static constexpr unsigned kNumPending = 256;  // packets between two steps, and some held ones
  static constexpr unsigned kWays = 8;          // where one packet may be: a cache line of pointers
  static constexpr uint32_t kNumDone = 256;

  // Find gives the packet's place.
  unsigned Find(const Packet& packet);
  void Finish(const Packet& packet, unsigned place);

  uint64_t handle_ = 0;
  uint32_t remaining_ = 0;
  unsigned next_ = 0;  // way that a new packet takes when none is free
  alignas(64) std::array<const Packet*, kNumPending> packets_{};
  std::vector<Record> pending_;  // theirs
  std::vector<Record> done_;
  std::atomic<uint32_t> head_{0};
  std::atomic<uint32_t> tail_{0};
};

}  // namespace culvert::dataplane
