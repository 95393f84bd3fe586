#include "dataplane/worker/program.h"

#include <algorithm>

#include "dataplane/mppe/receive.h"
#include "dataplane/mppe/wipe.h"
#include "dataplane/reorder/reorder.h"

namespace culvert::dataplane {
namespace {

void Clear(Call* call) {
  // Everything but what other workers read, which is stored for itself.
  auto* octets = reinterpret_cast<uint8_t*>(call);
  constexpr size_t kShared = offsetof(Call, call_id);
  mppe::Wipe(octets + kShared, sizeof(Call) - kShared);
}

void SetKey(const MppeKeySpec& spec, const Call& call, const WorkerContext& context,
            MppeState* state) {
  if (spec.bits == 0) {
    mppe::Wipe(state, sizeof(*state));
    return;
  }
  if (state->bits == spec.bits && state->epoch == spec.epoch &&
      (state->stateful != 0) == spec.stateful) {
    return;
  }
  *state = {};
  state->start_key = spec.start_key;
  state->session_key = mppe::FirstKey(*context.sha1, spec.start_key, spec.bits);
  state->bits = static_cast<uint8_t>(spec.bits);
  state->stateful = spec.stateful ? 1 : 0;
  state->epoch = spec.epoch;
  state->key_budget = mppe::kKeyBudget;
  state->budget_ms = context.now_ms;
  // The peer's first encrypted frame comes after what we have seen so far.
  state->last_sequence = call.last_sound;
  state->has_sequence = call.has_sound;
}

void Program(const CallProgram& program, WorkerContext* context) {
  Call& call = context->calls->At(program.index);
  const bool is_new = call.generation != program.generation;
  if (is_new) {
    DiscardHeld(&call, context);
    Clear(&call);
    call.punt_tokens = context->punt_rate * 1000;
    call.punt_ms = context->now_ms;
  }
  call.call_id = program.call_id;
  call.local_address = program.local_address;
  Store(&call.peer_address, program.peer_address);  // read by every worker
  call.client_address = program.client_address;
  call.peer_call_id = program.peer_call_id;
  call.mtu = program.mtu;
  call.receive_window = program.receive_window;
  call.reorder_packets = std::min<uint8_t>(program.reorder.packets, ReorderBuffer::kMaxPackets);
  call.reorder_delay_ms = std::min<uint8_t>(program.reorder.delay_ms, ReorderPool::kMaxDelayMs);
  call.require_encryption = program.require_encryption;
  call.send_acfc = program.send_acfc;
  call.send_pfc = program.send_pfc;
  call.outer_dscp = program.outer.dscp & 0x3f;
  call.copy_dscp = program.outer.copy_dscp;
  call.dont_fragment = program.outer.dont_fragment;
  SetKey(program.receive, call, *context, &call.receive);
  SetKey(program.send, call, *context, &call.send);
  call.decrypts = call.receive.bits != 0;
  call.encrypts = call.send.bits != 0;
  Store(&call.owner, context->worker);
  Store(&call.generation, program.generation, std::memory_order_release);
}

}  // namespace

CallTotals TotalsOf(const Call& call) {
  const CallCountersBlock& counters = call.counters;
  CallTotals totals;
  totals.upstream_packets = Load(counters.upstream_packets);
  totals.upstream_octets = Load(counters.upstream_octets);
  totals.upstream_drops = Load(counters.upstream_drops);
  totals.downstream_packets = Load(counters.downstream_packets);
  totals.downstream_octets = Load(counters.downstream_octets);
  totals.downstream_drops = Load(counters.downstream_drops);
  return totals;
}

void Apply(Command* command, WorkerContext* context) {
  if (command->kind == Command::Kind::kProgram) {
    Program(command->program, context);
    return;
  }
  Call& call = context->calls->At(command->program.index);
  DiscardHeld(&call, context);
  command->totals = TotalsOf(call);
  Store(&call.generation, 0U, std::memory_order_release);
  Clear(&call);
}

}  // namespace culvert::dataplane
