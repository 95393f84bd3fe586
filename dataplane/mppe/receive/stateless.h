// The receiver of stateless MPPE (RFC 3078 s3.1, s7.1, s8.1), for all frames of a burst at once.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dataplane/call/call.h"
#include "dataplane/mppe/engine.h"
#include "dataplane/mppe/receive/catch_up.h"
#include "dataplane/mppe/receive/key_budget.h"
#include "dataplane/packet/drop_reason.h"

namespace culvert::dataplane::mppe {

struct Arrival {
  MppeState* state;
  uint32_t sequence;  // GRE
  uint32_t now_ms;
  std::span<uint8_t> frame;  // from the two header octets on
};

struct Outcome {
  DropReason error;   // kCount: none; mppe_catch_up: the frame may be held until its key is made
  uint32_t position;  // of the frame after this one
};

struct Opened {
  DropReason error = DropReason::kCount;  // kCount: none
  uint16_t protocol = 0;                  // of the frame that was inside
  uint16_t information_offset = 0;        // its information, from the start of the MPPE frame
};

// Receiver: Plan() each frame of the burst, Run(), then Open() each planned one, in the same order.
// One per worker. A frame's key depends on its place alone, not on whether those before it
// proved sound; a call's state follows the sound ones, so garbage cannot put it out of step.
class Receiver {
 public:
  static constexpr unsigned kMaxFrames = 64;  // of a burst

  // Both are borrowed.
  Receiver(Engine* engine, CatchUps* catch_ups) : engine_(engine), catch_ups_(catch_ups) {}

  // Plan reads the frame's header and says whether it cannot be decrypted. Frame and state stay
  // where they are until Open().
  Outcome Plan(const Arrival& arrival);
  // Run decrypts the planned frames in place.
  void Run() { engine_->Run(std::span(jobs_).first(num_planned_)); }
  // Open judges the next planned frame.
  Opened Open();

 private:
  struct Planned {
    MppeState* state;
    uint32_t distance;  // from the state before the burst
    uint32_t position;  // of the frame after this one
    uint32_t sequence;
    uint16_t previous;  // job of the same call, from 1
  };
  void PlanKey(const MppeState& state, const Planned& planned, StatelessJob* job) const;
  DropReason Allow(const Arrival& arrival, const Planned& planned, StatelessJob* job);

  Engine* engine_;
  CatchUps* catch_ups_;

  std::array<StatelessJob, kMaxFrames> jobs_;
  std::array<Planned, kMaxFrames> planned_;
  unsigned num_planned_ = 0;
  unsigned num_opened_ = 0;
};

}  // namespace culvert::dataplane::mppe
