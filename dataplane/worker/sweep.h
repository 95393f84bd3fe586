// Sweep: visits each call that has a CallWatch about once a second, in slices, in the order of the
// table, so that a million of them cost little and no round takes long; once in kRestS seconds when
// nothing can happen to the call meanwhile. Owner: one worker.
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/worker/command.h"
#include "dataplane/worker/context.h"

namespace culvert::dataplane {

class Sweep {
 public:
  // For calls with an index below `num_calls`, a multiple of 64.
  explicit Sweep(uint32_t num_calls)
      : watched_((num_calls + 63) / 64), rests_(watched_.size() * 64) {}

  // Run visits the calls whose turn it is: sends Echo-Requests, reports events.
  void Run(WorkerContext* context);

  void Add(uint32_t index) {
    num_ += Has(index) ? 0 : 1;
    watched_[index / 64] |= Bit(index);
    Hurry(index);
  }
  // Hurry has the call visited within a second.
  void Hurry(uint32_t index) { rests_[index] = 0; }
  void Remove(uint32_t index) {
    num_ -= Has(index) ? 1 : 0;
    watched_[index / 64] &= ~Bit(index);
  }

 private:
  static uint64_t Bit(uint32_t index) { return uint64_t{1} << index % 64; }
  [[nodiscard]] bool Has(uint32_t index) const { return (watched_[index / 64] & Bit(index)) != 0; }

  static constexpr uint32_t kRestS = 4;
  // RunWord gives how many calls it visited.
  unsigned RunWord(WorkerContext* context);

  std::vector<uint64_t> watched_;  // a bit a call
  std::vector<uint8_t> rests_;     // passes that will leave a call out
  uint32_t num_ = 0;
  uint32_t next_ = 0;     // word whose turn it is
  uint32_t pass_ = 0;     // over all words
  uint32_t last_ms_ = 0;  // when `owed_` was counted
  uint64_t owed_ = 0;     // words that should have been visited, times 1000
};

// ProgramWatch changes what the sweep does for a call, and kFeatureKeepalive.
void ProgramWatch(const CallProgram& program, bool is_new, Call* call, WorkerContext* context);

}  // namespace culvert::dataplane
