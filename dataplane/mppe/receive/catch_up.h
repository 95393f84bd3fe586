// CatchUps: the key changes of calls that lost many frames, made a slice a round so that no worker
// stalls (RFC 3078 s8.1 makes them all at once). One per worker.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/call/call.h"

struct rte_mbuf;

namespace culvert::dataplane {
struct WorkerContext;
}

namespace culvert::dataplane::mppe {

class CatchUps {
 public:
  CatchUps() = default;
  ~CatchUps();
  CatchUps(const CatchUps&) = delete;
  CatchUps& operator=(const CatchUps&) = delete;

  // Key changes beyond one a frame: those of frames in bursts, and those of long losses, each
  // round. One takes some 0.5 us.
  static constexpr uint32_t kInlineChanges = 96;
  static constexpr uint32_t kSlice = 64;
  static constexpr unsigned kMaxCalls = 64;
  static constexpr unsigned kMaxHeld = 8;  // frames of a call

  // BeginRound makes room for a round's changes; Poll does it first.
  void BeginRound() { changes_left_ = kInlineChanges; }
  // TakeChanges gives leave to make that many key changes in this round.
  bool TakeChanges(uint32_t changes) {
    if (changes > changes_left_) {
      return false;
    }
    changes_left_ -= changes;
    return true;
  }
  // AheadOf gives how many frames beyond `state` a key is already made, 0: none, and the key.
  uint32_t AheadOf(const MppeState& state, Key* key) const;
  // Missing gives the key changes that Hold would still have to make up to `position`.
  [[nodiscard]] uint32_t Missing(const MppeState& state, uint32_t position) const;

  // Hold takes the packet, the key of whose frame is the one before `position`, until that key is
  // made; then it runs through the decrypting stage again. False: no room; nothing is taken.
  bool Hold(const MppeState& state, uint32_t position, rte_mbuf* packet);
  // Poll begins a round: makes some keys and spawns the packets for which they are there. Calls
  // that have ended lose theirs. Gives how many calls wait.
  unsigned Poll(WorkerContext* context);

 private:
  struct Entry {
    const MppeState* state = nullptr;  // null: free
    uint32_t epoch = 0;
    uint32_t call_index = 0;
    uint32_t generation = 0;
    uint32_t position = 0;  // one more than that of the frame whose key this is
    uint32_t target = 0;
    uint32_t since_ms = 0;
    Key key{};
    unsigned num_held = 0;
    std::array<rte_mbuf*, kMaxHeld> held{};
  };

  const Entry* Find(const MppeState& state) const;
  Entry* FindOrMake(const MppeState& state, rte_mbuf* packet);
  void PollEntry(Entry* entry, uint32_t* changes, WorkerContext* context);
  static void MoveUp(Entry* entry);
  static void Free(Entry* entry);

  std::array<Entry, kMaxCalls> entries_;
  unsigned num_entries_ = 0;  // in use
  unsigned next_ = 0;         // to be polled first
  uint32_t changes_left_ = kInlineChanges;
};

}  // namespace culvert::dataplane::mppe
