#include "dataplane/worker/program.h"

#include <algorithm>

#include "dataplane/call/ack_delay.h"
#include "dataplane/mppe/receive/stateless.h"
#include "dataplane/mppe/wipe.h"
#include "dataplane/reorder/reorder.h"
#include "dataplane/worker/sweep.h"

namespace culvert::dataplane {
namespace {

void Clear(uint32_t index, const WorkerContext& context, Call* call) {
  if (call->receive().stateful != 0) {
    mppe::Wipe(context.mppe->table->Receive(index), sizeof(mppe::StatefulRow));
  }
  if (call->send().stateful != 0) {
    mppe::Wipe(context.mppe->table->Send(index), sizeof(mppe::StatefulRow));
  }
  // Everything but what other workers read, which is stored for itself.
  auto* octets = reinterpret_cast<uint8_t*>(call);
  constexpr size_t kShared = offsetof(Call, features);
  mppe::Wipe(octets + kShared, sizeof(Call) - kShared);
  call->more() = {};
  mppe::Wipe(&call->receive(), sizeof(MppeState));
  mppe::Wipe(&call->send(), sizeof(MppeState));
}

// `row` is the direction's; only stateful calls ever touch theirs.
void SetKey(const MppeKeySpec& spec, const Call& call, const WorkerContext& context,
            mppe::StatefulRow* row, MppeState* state) {
  const bool is_same = state->bits == spec.bits && state->epoch == spec.epoch &&
                       (state->stateful != 0) == spec.stateful;
  if (spec.bits != 0 && is_same) {
    return;
  }
  if (state->stateful != 0 || spec.stateful) {
    mppe::Wipe(row, sizeof(*row));
  }
  if (spec.bits == 0) {
    mppe::Wipe(state, sizeof(*state));
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

void SetFeature(Call* call, CallFeature feature, bool on) {
  call->features = static_cast<uint8_t>(on ? call->features | feature : call->features & ~feature);
}

void SetPolicer(const PolicerSpec& spec, CallFeature feature, Call* call, Policer* policer) {
  if (spec.committed_bps != 0) {
    policer->Set(spec);
  } else if ((call->features & feature) != 0) {
    policer->Clear();
  }
  SetFeature(call, feature, spec.committed_bps != 0);
}

// SetFeatures comes last: what a call does not have it does not touch.
void SetFeatures(const CallProgram& program, bool is_new, Call* call, WorkerContext* context) {
  ProgramWatch(program, is_new, call, context);
  constexpr uint8_t kPolices = kFeaturePoliceUpstream | kFeaturePoliceDownstream;
  if ((call->features & kPolices) != 0 || program.upstream_policer.committed_bps != 0 ||
      program.downstream_policer.committed_bps != 0) {
    CallPolicers& policers = context->calls->PolicersOf(program.index);
    if (is_new) {
      policers = {};
    }
    SetPolicer(program.upstream_policer, kFeaturePoliceUpstream, call, &policers.upstream);
    SetPolicer(program.downstream_policer, kFeaturePoliceDownstream, call, &policers.downstream);
  }
  if (program.peer_window != 0) {
    SendWindow& window = context->calls->SendWindowOf(program.index);
    if ((call->features & kFeatureSendWindow) == 0) {
      window = {};
    }
    window.Set(program.peer_window, call->more().send_sequence);
  }
  SetFeature(call, kFeatureSendWindow, program.peer_window != 0);
  call->more().filter = program.filter;
  SetFeature(call, kFeatureFilter, program.filter != 0);
}

void Program(const CallProgram& program, WorkerContext* context) {
  Call& call = context->calls->At(program.index);
  const bool is_new = call.generation != program.generation;
  if (is_new) {
    DiscardHeld(&call, context);
    Clear(program.index, *context, &call);
    call.more().punt_tokens = context->punt_rate * 1000;
    call.more().punt_ms = context->now_ms;
  }
  call.more().call_id = program.call_id;
  call.local_address = program.local_address;
  Store(&call.peer_address, program.peer_address);  // read by every worker
  call.client_address = program.client_address;
  call.peer_call_id = program.peer_call_id;
  call.mtu = program.mtu;
  call.receive_window = program.receive_window;
  call.ack_delay = AckDelay(program.ack_delay_ms).octet();
  call.more().reorder_packets =
      std::min<uint8_t>(program.reorder.packets, ReorderBuffer::kMaxPackets);
  call.more().reorder_delay_ms =
      std::min<uint8_t>(program.reorder.delay_ms, ReorderPool::kMaxDelayMs);
  call.require_encryption = program.require_encryption;
  call.more().send_acfc = program.send_acfc;
  call.more().send_pfc = program.send_pfc;
  call.outer_dscp = program.outer.dscp & 0x3f;
  call.copy_dscp = program.outer.copy_dscp;
  call.dont_fragment = program.outer.dont_fragment;
  mppe::StatefulTable& table = *context->mppe->table;
  SetKey(program.receive, call, *context, table.Receive(program.index), &call.receive());
  SetKey(program.send, call, *context, table.Send(program.index), &call.send());
  call.decrypts = call.receive().bits != 0;
  call.encrypts = call.send().bits != 0;
  SetFeatures(program, is_new, &call, context);
  static_assert(RTE_MAX_LCORE <= UINT8_MAX);
  Store(&call.owner, static_cast<uint8_t>(context->worker));
  Store(&call.generation, program.generation, std::memory_order_release);
}

}  // namespace

CallTotals TotalsOf(const Call& call) {
  const CallMore& more = call.more();
  CallTotals totals;
  totals.upstream_packets = Load(call.upstream_packets);
  totals.upstream_octets = Load(call.upstream_octets);
  totals.upstream_drops = Load(more.upstream_drops);
  totals.downstream_packets = Load(more.downstream_packets);
  totals.downstream_octets = Load(more.downstream_octets);
  totals.downstream_drops = Load(more.downstream_drops);
  return totals;
}

void Apply(Command* command, WorkerContext* context) {
  if (command->kind == Command::Kind::kProgram) {
    Program(command->program, context);
    return;
  }
  Call& call = context->calls->At(command->program.index);
  DiscardHeld(&call, context);
  context->sweep->Remove(command->program.index);
  command->totals = TotalsOf(call);
  Store(&call.generation, 0U, std::memory_order_release);
  Clear(command->program.index, *context, &call);
}

}  // namespace culvert::dataplane
