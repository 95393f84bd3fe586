// The reorder window of a call (RFC 2637 s4.3). Packets between the next one and the bound of a
// jump wait until those before them have come, for the call's delay, or until its window is full;
// then they go on in order. A number beyond the window may be forged: it moves the call only when
// others follow it, or when its time is up and nothing has come in order meanwhile.
#pragma once

#include "dataplane/worker/context.h"

namespace culvert::dataplane {

// How far ahead a packet may be without being confirmed by the ones after it.
constexpr int32_t kMaxJump = 1024;
// That many packets, each at most so far ahead of the one before, show that the peer is there.
constexpr unsigned kRunLen = 8;
constexpr uint32_t kMaxRunStep = 64;

// HoldPacket takes a packet that is 2 to kMaxJump ahead of the call's highest. Next: the call does
// not wait, now or ever, and the packet is to be accepted as it is.
Verdict HoldPacket(Packet* packet, WorkerContext* context);

// ReleaseFollowers spawns the packets that come right after the call's highest; it takes a call
// that holds some.
void ReleaseFollowers(Call* call, WorkerContext* context);

// ReleaseAfter spawns all that the call holds and `packet` behind them; it takes a call that holds
// some, and a packet that is ahead of all of them.
void ReleaseWith(Packet* packet, WorkerContext* context);

// ReleaseDue spawns what a call has held long enough; false: no call has. Expects an empty Spawned.
bool ReleaseDue(WorkerContext* context);

// DiscardHeld drops what the call holds, since it ends.
void DiscardHeld(Call* call, WorkerContext* context);

// NoteJump keeps what numbers the call has left out, so that a forged jump can be taken back.
void NoteJump(Call* call, uint32_t to);

}  // namespace culvert::dataplane
