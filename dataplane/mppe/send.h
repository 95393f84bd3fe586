// The sender of stateless MPPE (RFC 3078 s3.1, s7.1), for all frames of a burst at once.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dataplane/call/call.h"
#include "dataplane/mppe/engine.h"

namespace culvert::dataplane::mppe {

// Sender: Plan() each frame of the burst, then Run(). One per worker. Counts leave without a gap.
class Sender {
 public:
  static constexpr unsigned kMaxFrames = 64;  // of a burst

  // Plan gives the two header octets, as a host-order word, that go before `text` (inner protocol
  // field and information), which Run() encrypts in place. The state stays where it is until then.
  uint16_t Plan(MppeState* state, std::span<uint8_t> text);
  void Run(Engine* engine);

 private:
  std::array<StatelessJob, kMaxFrames> jobs_;
  std::array<MppeState*, kMaxFrames> states_;
  unsigned num_planned_ = 0;
};

}  // namespace culvert::dataplane::mppe
