#include "dataplane/worker/sweep.h"

#include <rte_prefetch.h>

#include <algorithm>
#include <bit>

#include "proto/wire/byte_order.h"
#include "proto/wire/ppp.h"

namespace culvert::dataplane {
namespace {

constexpr uint32_t kMsPerSecond = 1000;

// RFC 1661 s5.8.
void SendEchoRequest(const Call& call, uint32_t index, CallWatch* watch, WorkerContext* context) {
  constexpr uint16_t kLen = 8;
  rte_mbuf* mbuf = rte_pktmbuf_alloc(context->mbufs);
  if (mbuf == nullptr) {
    context->Count(DropReason::no_buffer);
    return;
  }
  auto* at = reinterpret_cast<uint8_t*>(rte_pktmbuf_append(mbuf, 2 + kLen));
  wire::StoreBe16(at, wire::ppp::kLcp);
  at[2] = wire::ppp::kEchoRequest;
  at[3] = ++watch->echo_id;
  wire::StoreBe16(at + 4, kLen);
  wire::StoreBe32(at + 6, watch->magic);
  Packet& packet = ResetPacket(mbuf);
  packet.call_index = index;
  packet.generation = call.generation;
  context->Spawn(Stage::kControl, packet);
}

// A report that finds no room is made again at the next visit.
bool Report(const Call& call, uint32_t index, CallEvent::Kind kind, WorkerContext* context) {
  return context->events.Report(MakeHandle(call.generation, index), kind);
}

// Ask settles a doubt, an Echo-Request a visit: the peer's numbers go on from where they were, if
// it is still there.
void Ask(const Call& call, uint32_t index, CallWatch* watch, WorkerContext* context) {
  constexpr uint8_t kMostAsked = 3;
  if (watch->heard_reply != 0 || watch->seen_sequence != call.last_sound) {
    watch->in_doubt = 0;
  } else if (watch->asked >= kMostAsked) {
    watch->in_doubt = Report(call, index, CallEvent::Kind::kSequenceRestart, context) ? 0 : 1;
  } else {
    ++watch->asked;
    SendEchoRequest(call, index, watch, context);
  }
}

void KeepAlive(const Call& call, uint32_t index, CallWatch* watch, WorkerContext* context) {
  if (watch->heard_reply != 0 || watch->seen_sequence != call.last_sound) {
    watch->heard_reply = 0;
    watch->seen_sequence = call.last_sound;
    watch->heard_ms = context->now_ms;
    watch->sent = 0;
    watch->told_dead = 0;
    return;
  }
  const uint64_t silence_ms = context->now_ms - watch->heard_ms;
  if (watch->told_dead != 0 ||
      silence_ms < (watch->sent + uint64_t{1}) * watch->interval_s * kMsPerSecond) {
    return;
  }
  if (watch->sent >= watch->misses) {
    watch->told_dead = Report(call, index, CallEvent::Kind::kDead, context) ? 1 : 0;
    return;
  }
  ++watch->sent;
  SendEchoRequest(call, index, watch, context);
}

void Visit(uint32_t index, WorkerContext* context) {
  const Call& call = context->calls->At(index);
  CallWatch& watch = context->calls->WatchOf(index);
  const CallMore& more = call.more();
  if (watch.in_doubt != 0) {
    Ask(call, index, &watch, context);
  }
  if (watch.interval_s != 0) {
    KeepAlive(call, index, &watch, context);
  }
  if (watch.idle_timeout_s != 0) {
    const uint64_t packets = call.upstream_packets + more.downstream_packets;
    if (packets != watch.seen_packets) {
      watch.seen_packets = packets;
      watch.active_ms = context->now_ms;
    } else if (watch.told_idle == 0 &&
               context->now_ms - watch.active_ms >= uint64_t{watch.idle_timeout_s} * kMsPerSecond) {
      watch.told_idle = Report(call, index, CallEvent::Kind::kIdle, context) ? 1 : 0;
    }
  }
  if (watch.octet_quota != 0 && watch.told_quota == 0 &&
      call.upstream_octets + more.downstream_octets >= watch.octet_quota) {
    watch.told_quota = Report(call, index, CallEvent::Kind::kQuota, context) ? 1 : 0;
  }
}

// Fetch brings near what Visit reads; nothing but the sweep has done so for long.
void Fetch(uint32_t index, WorkerContext* context) {
  const Call& call = context->calls->At(index);
  rte_prefetch0(&call);
  rte_prefetch0(&call.more());
  rte_prefetch0(&context->calls->WatchOf(index));
}

// MayRest: nothing is due within `rest_ms`, whatever the call does. What is noticed that much later
// must not matter, either: short time-outs are watched closely.
bool MayRest(const Call& call, const CallWatch& watch, uint32_t rest_ms, uint32_t now_ms) {
  constexpr uint32_t kShortS = 16;
  constexpr uint64_t kOctetsPerMs = 12'500'000;  // 100 Gbit/s
  const auto is_far = [&](uint32_t since_ms, uint64_t timeout_s) {
    return timeout_s >= kShortS && uint64_t{now_ms - since_ms} + rest_ms < timeout_s * kMsPerSecond;
  };
  if (watch.in_doubt != 0) {
    return false;
  }
  if (watch.interval_s != 0 && watch.told_dead == 0 &&
      (watch.sent != 0 || !is_far(watch.heard_ms, watch.interval_s))) {
    return false;
  }
  if (watch.idle_timeout_s != 0 && watch.told_idle == 0 &&
      !is_far(watch.active_ms, watch.idle_timeout_s)) {
    return false;
  }
  return watch.octet_quota == 0 || watch.told_quota != 0 ||
         call.upstream_octets + call.more().downstream_octets + rest_ms * kOctetsPerMs <
             watch.octet_quota;
}

// ForEach takes the calls of a word of Sweep's.
template <typename Function>
void ForEach(uint64_t word, uint32_t at, Function function) {
  for (; word != 0; word &= word - 1) {
    function(at * 64 + static_cast<uint32_t>(std::countr_zero(word)));
  }
}

}  // namespace

// RunWord visits the calls of the word whose turn it is that do not rest. They get their rests so
// that a quarter of those that may is visited in each pass.
unsigned Sweep::RunWord(WorkerContext* context) {
  uint64_t due = 0;
  ForEach(watched_[next_], next_, [&](uint32_t index) {
    if (rests_[index] != 0) {
      --rests_[index];
    } else {
      due |= Bit(index);
      Fetch(index, context);
    }
  });
  ForEach(due, next_, [&](uint32_t index) {
    Visit(index, context);
    const bool may_rest = MayRest(context->calls->At(index), context->calls->WatchOf(index),
                                  kRestS * kMsPerSecond, context->now_ms);
    rests_[index] = static_cast<uint8_t>(may_rest ? kRestS - 1 - (pass_ + index) % kRestS : 0);
  });
  return static_cast<unsigned>(std::popcount(due));
}

void Sweep::Run(WorkerContext* context) {
  const uint32_t elapsed_ms = context->now_ms - last_ms_;
  last_ms_ = context->now_ms;
  if (num_ == 0) {
    return;
  }
  const auto num_words = static_cast<uint32_t>(watched_.size());
  owed_ += static_cast<uint64_t>(num_words) * std::min(elapsed_ms, kMsPerSecond);
  owed_ = std::min(owed_, static_cast<uint64_t>(num_words) * kMsPerSecond);
  // A round's share. Words without calls cost next to nothing.
  constexpr unsigned kMaxCalls = 64;
  for (unsigned num = 0; owed_ >= kMsPerSecond && num < kMaxCalls; owed_ -= kMsPerSecond) {
    num += RunWord(context);
    next_ = next_ + 1 == num_words ? 0 : next_ + 1;
    pass_ += next_ == 0 ? 1 : 0;
  }
}

void ProgramWatch(const CallProgram& program, bool is_new, Call* call, WorkerContext* context) {
  const KeepaliveSpec& keepalive = program.keepalive;
  const bool sweeps = (keepalive.enabled && keepalive.interval_s != 0) ||
                      program.idle_timeout_s != 0 || program.octet_quota != 0;
  const uint8_t features = static_cast<uint8_t>((keepalive.enabled ? kFeatureKeepalive : 0) |
                                                (sweeps ? kFeatureSweep : 0));
  constexpr uint8_t kMine = kFeatureKeepalive | kFeatureSweep;
  const bool had = (call->features & kMine) != 0;
  call->features = static_cast<uint8_t>((call->features & ~kMine) | features);
  if (features == 0 && !had && !is_new) {
    return;
  }
  if (features != 0) {
    CallWatch& watch = context->calls->WatchOf(program.index);
    if (is_new || !had) {
      watch = {};
      watch.seen_sequence = call->last_sound;
      watch.heard_ms = watch.active_ms = context->now_ms;
    }
    watch.interval_s = keepalive.enabled ? keepalive.interval_s : 0;
    watch.misses = keepalive.misses;
    watch.magic = keepalive.magic;
    if (watch.idle_timeout_s != program.idle_timeout_s) {
      watch.idle_timeout_s = program.idle_timeout_s;
      watch.active_ms = context->now_ms;
      watch.told_idle = 0;
    }
    if (watch.octet_quota != program.octet_quota) {
      watch.octet_quota = program.octet_quota;
      watch.told_quota = 0;
    }
  }
  if (sweeps) {
    context->sweep->Add(program.index);
  } else {
    context->sweep->Remove(program.index);
  }
}

}  // namespace culvert::dataplane
