// The receiver of stateful MPPE (RFC 3078 s3.1, s7.2, s8.2). Peers differ: after a Reset-Request
// Linux changes its key before the flushed frame, the RFC's text does not; Linux flushes the frames
// whose count ends in ff as well. Which of the keys a fresh keystream has shows by what comes out.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dataplane/mppe/receive/stateless.h"
#include "dataplane/mppe/stateful_table.h"

namespace culvert::dataplane::mppe {

// StatefulReceiver is used as Receiver is, but takes at most one frame of a call between two Run():
// what the next one needs shows only then.
class StatefulReceiver {
 public:
  StatefulReceiver(Engine* engine, CatchUps* catch_ups) : engine_(engine), catch_ups_(catch_ups) {}

  // CanPlan is false when a frame of the call is already planned.
  static bool CanPlan(const MppeState& state) { return state.last_job == 0; }
  DropReason Plan(const Arrival& arrival, StatefulRow* row);
  void Run() { engine_->Run(std::span(jobs_).first(num_planned_)); }
  Opened Open();

  // NeedsReset says whether, after a frame dropped for `reason`, to send a Reset-Request now, and
  // counts it: once, then again after a while until a frame proves sound.
  static bool NeedsReset(DropReason reason, const MppeState& state, uint32_t now_ms,
                         StatefulRow* row);

 private:
  struct Planned {
    MppeState* state;
    StatefulRow* row;
    uint32_t position;
    uint32_t sequence;
    bool is_fresh;   // begins with a schedule
    bool keeps_key;  // as the row's
  };
  bool FindKey(const Arrival& arrival, uint32_t num_flags, bool is_flag, StatefulJob* job,
               Planned* planned);

  Engine* engine_;
  CatchUps* catch_ups_;
  std::array<StatefulJob, Receiver::kMaxFrames> jobs_;
  std::array<Planned, Receiver::kMaxFrames> planned_;
  unsigned num_planned_ = 0;
  unsigned num_opened_ = 0;
};

}  // namespace culvert::dataplane::mppe
