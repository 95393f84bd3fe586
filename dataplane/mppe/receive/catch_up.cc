#include "dataplane/mppe/receive/catch_up.h"

#include <algorithm>

#include "dataplane/mppe/wipe.h"
#include "dataplane/worker/context.h"

namespace culvert::dataplane::mppe {
namespace {

constexpr uint32_t kKeepMs = 1000;  // a key that nobody came for

}  // namespace

CatchUps::~CatchUps() {
  for (const Entry& entry : entries_) {
    for (unsigned i = 0; i < entry.num_held; ++i) {
      rte_pktmbuf_free(entry.held[i]);
    }
  }
}

const CatchUps::Entry* CatchUps::Find(const MppeState& state) const {
  if (num_entries_ == 0) {
    return nullptr;
  }
  for (const Entry& entry : entries_) {
    if (entry.state == &state && entry.epoch == state.epoch) {
      return &entry;
    }
  }
  return nullptr;
}

uint32_t CatchUps::AheadOf(const MppeState& state, Key* key) const {
  const Entry* entry = Find(state);
  if (entry == nullptr || static_cast<int32_t>(entry->position - state.position) <= 0) {
    return 0;
  }
  *key = entry->key;
  return entry->position - state.position;
}

uint32_t CatchUps::Missing(const MppeState& state, uint32_t position) const {
  const Entry* entry = Find(state);
  const uint32_t from = entry == nullptr ? state.position : entry->target;
  return static_cast<uint32_t>(std::max(static_cast<int32_t>(position - from), 0));
}

CatchUps::Entry* CatchUps::FindOrMake(const MppeState& state, rte_mbuf* packet) {
  if (const Entry* entry = Find(state); entry != nullptr) {
    return const_cast<Entry*>(entry);
  }
  for (Entry& entry : entries_) {
    if (entry.state == nullptr) {
      const Packet& owner = PacketOf(packet);
      entry.state = &state;
      entry.epoch = state.epoch;
      entry.call_index = owner.call_index;
      entry.generation = owner.call->generation;
      entry.position = entry.target = state.position;
      entry.key = state.session_key;
      entry.num_held = 0;
      ++num_entries_;
      return &entry;
    }
  }
  return nullptr;
}

bool CatchUps::Hold(const MppeState& state, uint32_t position, rte_mbuf* packet) {
  Entry* entry = FindOrMake(state, packet);
  if (entry == nullptr || entry->num_held == kMaxHeld) {
    return false;
  }
  if (static_cast<int32_t>(position - entry->target) > 0) {
    entry->target = position;
  }
  entry->held[entry->num_held++] = packet;
  return true;
}

unsigned CatchUps::Poll(WorkerContext* context) {
  BeginRound();
  if (num_entries_ == 0) {
    return 0;
  }
  uint32_t changes = kSlice;
  for (unsigned i = 0; i < kMaxCalls; ++i) {
    Entry& entry = entries_[(next_ + i) % kMaxCalls];
    if (entry.state != nullptr) {
      PollEntry(&entry, &changes, context);
    }
  }
  next_ = (next_ + 1) % kMaxCalls;
  return num_entries_;
}

void CatchUps::PollEntry(Entry* entry, uint32_t* changes, WorkerContext* context) {
  const Call& call = context->calls->At(entry->call_index);
  const bool is_live = Load(call.generation) == entry->generation &&
                       Load(call.owner) == context->worker && entry->epoch == entry->state->epoch &&
                       entry->state->bits != 0;
  if (!is_live) {
    for (unsigned i = 0; i < entry->num_held; ++i) {
      context->Count(DropReason::call_stale);
      rte_pktmbuf_free(entry->held[i]);
    }
    --num_entries_;
    return Free(entry);
  }
  MoveUp(entry);
  const uint32_t now = std::min(entry->target - entry->position, *changes);
  if (now > 0) {
    context->mppe->engine->Advance(entry->state->start_key, entry->state->bits, now, &entry->key);
    entry->position += now;
    *changes -= now;
    entry->since_ms = context->now_ms;
  }
  if (entry->position != entry->target) {
    return;
  }
  if (entry->num_held <= context->spawned.Room()) {
    for (unsigned i = 0; i < entry->num_held; ++i) {
      context->Spawn(Stage::kDecrypt, PacketOf(entry->held[i]));
    }
    entry->num_held = 0;
  }
  const bool is_behind = static_cast<int32_t>(entry->position - entry->state->position) <= 0;
  if (entry->num_held == 0 && (is_behind || context->now_ms - entry->since_ms > kKeepMs)) {
    --num_entries_;
    Free(entry);
  }
}

// MoveUp begins anew at the call's own key when frames that came meanwhile have gone past ours.
void CatchUps::MoveUp(Entry* entry) {
  const MppeState& state = *entry->state;
  if (static_cast<int32_t>(state.position - entry->position) > 0) {
    entry->position = state.position;
    entry->key = state.session_key;
  }
  if (static_cast<int32_t>(entry->position - entry->target) > 0) {
    entry->target = entry->position;
  }
}

void CatchUps::Free(Entry* entry) {
  Wipe(entry->key.data(), entry->key.size());
  entry->state = nullptr;
  entry->num_held = 0;
}

}  // namespace culvert::dataplane::mppe
