// The sender of MPPE (RFC 3078 s3.1, s7.1, s7.2), for all frames of a burst at once.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dataplane/call/call.h"
#include "dataplane/mppe/engine.h"
#include "dataplane/mppe/stateful_table.h"

namespace culvert::dataplane::mppe {

// Sender: plan each frame of the burst, then Run(). One per worker. Counts leave without a gap, but
// for AskForFlush and for what is dropped between here and the port, which MayPlan bounds.
class Sender {
 public:
  static constexpr unsigned kMaxFrames = 64;  // of a burst

  // The engine is borrowed.
  explicit Sender(Engine* engine) : engine_(engine) {}

  // Plan gives the two header octets, as a host-order word, that go before `text` (inner protocol
  // field and information), which Run() encrypts in place. The state stays where it is until then.
  uint16_t Plan(MppeState* state, std::span<uint8_t> text);
  // PlanStateful is for calls whose keystream runs on. `round` tells the worker's rounds apart.
  uint16_t PlanStateful(MppeState* state, StatefulRow* row, uint32_t round,
                        std::span<uint8_t> text);
  void Run();

  // MayPlan: false when the last frames have all been lost on their way to the port (NoteLost), so
  // many that the peer would soon not follow the count. Then one may try, first after 1 ms, later
  // each second, until one leaves.
  static bool MayPlan(uint32_t now_ms, MppeState* state) {
    return state->failures < kMaxLost || MayTry(now_ms, state);
  }
  static void NoteLost(uint32_t now_ms, MppeState* state);
  static constexpr uint16_t kMaxLost = 500;  // FreeBSD follows 1000, Linux 2048

  // AskForFlush: the peer has sent a Reset-Request. From the next round on, the next frame shows
  // it where the keystream is.
  static void AskForFlush(uint32_t round, StatefulRow* row) {
    row->flush = 1;
    row->flush_round = round;
  }

 private:
  static bool MayTry(uint32_t now_ms, MppeState* state);

  Engine* engine_;
  std::array<StatelessJob, kMaxFrames> jobs_;
  std::array<MppeState*, kMaxFrames> states_;
  std::array<StatefulJob, kMaxFrames> stateful_jobs_;
  unsigned num_planned_ = 0;
  unsigned num_stateful_ = 0;
};

}  // namespace culvert::dataplane::mppe
