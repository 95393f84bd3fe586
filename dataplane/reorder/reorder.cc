#include "dataplane/reorder/reorder.h"

#include <algorithm>

#include "dataplane/reorder/ppp_peek.h"

namespace culvert::dataplane {
namespace {

int32_t Ahead(const Call& call, uint32_t sequence) {
  return static_cast<int32_t>(sequence - call.highest_received);
}

void DropHeld(Call* call, rte_mbuf* mbuf, DropReason reason, WorkerContext* context) {
  context->Count(reason);
  Add(&call->more().upstream_drops, 1);
  rte_pktmbuf_free(mbuf);
}

// Settle comes after every change of a buffer: it is due with its oldest packet, or goes back.
void Settle(Call* call, WorkerContext* context) {
  ReorderPool& pool = context->reorder;
  const ReorderBuffer& buffer = pool.At(call->reorder);
  if (buffer.num == 0) {
    pool.GiveBack(call->reorder);
    call->reorder = 0;
    return;
  }
  uint32_t oldest = buffer.packets[0].since_ms;
  for (unsigned i = 1; i < buffer.num; ++i) {
    if (static_cast<int32_t>(buffer.packets[i].since_ms - oldest) < 0) {
      oldest = buffer.packets[i].since_ms;
    }
  }
  pool.SetDue(call->reorder, oldest + call->more().reorder_delay_ms, context->now_ms);
}

// Release spawns the first `num` and those that follow on them without a gap.
void Release(Call* call, unsigned num, WorkerContext* context) {
  ReorderBuffer& buffer = context->reorder.At(call->reorder);
  unsigned i = 0;
  for (; i < buffer.num; ++i) {
    const HeldPacket& held = buffer.packets[i];
    const int32_t ahead = Ahead(*call, held.sequence);
    if (i >= num && ahead > 1) {
      break;
    }
    if (ahead < 0 || (ahead == 0 && call->decrypts == 0)) {
      DropHeld(call, held.mbuf,
               ahead < 0 ? DropReason::sequence_late : DropReason::sequence_duplicate, context);
      continue;
    }
    NoteJump(call, held.sequence);
    call->highest_received = held.sequence;
    Packet& packet = PacketOf(held.mbuf);
    packet.call = call;
    context->Spawn(Stage::kFrame, packet);
  }
  call->run_count = 0;
  context->reorder.Remove(call->reorder, 0, i);
  Settle(call, context);
}

// LenWithRun gives how many packets lead up to and into the first that a peer's run begins with: it
// and the ones after it follow on each other, and nothing came in order since. 0: there is none.
unsigned LenWithRun(const Call& call, const ReorderBuffer& buffer) {
  const unsigned len = std::min<unsigned>(kRunLen, call.more().reorder_packets);
  unsigned first = 0;
  unsigned found = 0;
  uint32_t last = 0;
  for (unsigned i = 0; i < buffer.num && found < len; ++i) {
    const HeldPacket& held = buffer.packets[i];
    if (held.num_in_order != buffer.num_in_order) {
      continue;
    }
    if (found == 0 || held.sequence - last > kMaxRunStep) {
      first = i;
      found = 0;
    }
    ++found;
    last = held.sequence;
  }
  return found < len ? 0 : first + 1;
}

// Where a packet belongs: behind the last one that is not after it.
unsigned PlaceOf(const ReorderBuffer& buffer, uint32_t sequence) {
  unsigned at = buffer.num;
  while (at > 0 && static_cast<int32_t>(buffer.packets[at - 1].sequence - sequence) > 0) {
    --at;
  }
  return at;
}

// Of two packets with one number MPPE can tell which is the peer's; in clear nobody can.
bool IsDuplicate(const Call& call, Packet* packet, const ReorderBuffer& buffer, unsigned at) {
  if (at == 0 || buffer.packets[at - 1].sequence != packet->sequence) {
    return false;
  }
  return call.decrypts == 0 ||
         !(IsEncrypted(*packet) || IsEncrypted(PacketOf(buffer.packets[at - 1].mbuf)));
}

// IsStray: far ahead of the packet before it, while others came in order.
bool IsStray(const Call& call, const ReorderBuffer& buffer, unsigned at) {
  const HeldPacket& held = buffer.packets[at];
  const uint32_t before = at == 0 ? call.highest_received : buffer.packets[at - 1].sequence;
  return held.num_in_order != buffer.num_in_order &&
         held.sequence - before > call.more().reorder_packets;
}

}  // namespace

Verdict HoldPacket(Packet* packet, WorkerContext* context) {
  Call& call = *packet->call;
  ReorderPool& pool = context->reorder;
  if (call.reorder == 0 && call.more().reorder_packets != 0 && !pool.full()) {
    call.reorder = pool.Take(packet->call_index, call.generation);
  }
  if (call.reorder == 0 || call.more().reorder_packets == 0) {
    return Verdict::Next();
  }
  ReorderBuffer& buffer = pool.At(call.reorder);
  const unsigned at = PlaceOf(buffer, packet->sequence);
  if (IsDuplicate(call, packet, buffer, at)) {
    return Verdict::Drop(DropReason::sequence_duplicate);
  }
  pool.Insert(call.reorder, at,
              {packet->mbuf(), packet->sequence, context->now_ms, buffer.num_in_order});
  const bool beyond = Ahead(call, buffer.packets[0].sequence) > call.more().reorder_packets;
  const bool overflows = buffer.num > call.more().reorder_packets || pool.full();
  if (!beyond && !overflows) {
    Settle(&call, context);
    return Verdict::Hold();
  }
  const HeldPacket last = buffer.packets[buffer.num - 1];
  const unsigned with_run = LenWithRun(call, buffer);
  if (with_run != 0 || Ahead(call, last.sequence) <= call.more().reorder_packets) {
    Release(&call, std::max(with_run, 1U), context);  // what is missing before them is lost
    return Verdict::Hold();
  }
  if (!overflows) {
    Settle(&call, context);
    return Verdict::Hold();
  }
  pool.Remove(call.reorder, buffer.num - 1, 1);
  Settle(&call, context);
  if (last.mbuf == packet->mbuf()) {
    return Verdict::Drop(DropReason::sequence_jump);
  }
  DropHeld(&call, last.mbuf, DropReason::sequence_jump, context);
  return Verdict::Hold();
}

void ReleaseFollowers(Call* call, WorkerContext* context) {
  ++context->reorder.At(call->reorder).num_in_order;
  Release(call, 0, context);
}

void ReleaseWith(Packet* packet, WorkerContext* context) {
  Call& call = *packet->call;
  ReorderBuffer& buffer = context->reorder.At(call.reorder);
  context->reorder.Insert(call.reorder, buffer.num,
                          {packet->mbuf(), packet->sequence, context->now_ms, 0});
  Release(&call, buffer.num, context);
}

bool ReleaseDue(WorkerContext* context) {
  ReorderPool& pool = context->reorder;
  const uint16_t id = pool.TakeDue(context->now_ms);
  if (id == 0) {
    return false;
  }
  ReorderBuffer& buffer = pool.At(id);
  Call& call = context->calls->At(buffer.call_index);
  unsigned due = 0;
  for (unsigned i = 0; i < buffer.num;) {
    const HeldPacket held = buffer.packets[i];
    if (context->now_ms - held.since_ms < call.more().reorder_delay_ms) {
      ++i;
    } else if (IsStray(call, buffer, i)) {
      pool.Remove(id, i, 1);
      DropHeld(&call, held.mbuf, DropReason::sequence_jump, context);
    } else {
      due = ++i;
    }
  }
  Release(&call, due, context);
  return true;
}

void DiscardHeld(Call* call, WorkerContext* context) {
  if (call->reorder == 0) {
    return;
  }
  ReorderBuffer& buffer = context->reorder.At(call->reorder);
  for (unsigned i = 0; i < buffer.num; ++i) {
    DropHeld(call, buffer.packets[i].mbuf, DropReason::call_stale, context);
  }
  context->reorder.Remove(call->reorder, 0, buffer.num);
  Settle(call, context);
}

void NoteJump(Call* call, uint32_t to) {
  const uint32_t gap = to - call->highest_received;
  if (gap <= kRunLen || gap > INT32_MAX) {
    return;
  }
  // A second jump before anything came in order prolongs the first.
  const bool goes_on = call->more().jump_len != 0 &&
                       call->more().jump_from + call->more().jump_len == call->highest_received;
  const uint32_t from = goes_on ? call->more().jump_from : call->highest_received;
  call->more().jump_len = static_cast<uint16_t>(std::min<uint32_t>(to - from, UINT16_MAX));
  call->more().jump_from = from;
}

}  // namespace culvert::dataplane
